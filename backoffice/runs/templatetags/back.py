"""{% load back %}: addresses that keep the list's filters."""

from typing import Any

from django import template

from ..pages.back import afterwards, with_filters

register = template.Library()


@register.simple_tag(takes_context=True)
def back(context: Any, url: str) -> str:
    request = context.get("request")
    return with_filters(request, url) if request is not None else url


@register.simple_tag(takes_context=True)
def then_back(context: Any, url: str) -> str:
    return afterwards(context["request"], url)
