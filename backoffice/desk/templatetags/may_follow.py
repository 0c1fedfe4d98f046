"""{% load may_follow %}: links to lists, for those who may open them."""

from typing import Any

from django import template

from .. import navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def link_or_none(context: Any, url: str) -> str:
    """The address, or "" where this person would be refused."""
    request = context.get("request")
    return url if url and request is not None and navigation.may_follow(request, url) else ""
