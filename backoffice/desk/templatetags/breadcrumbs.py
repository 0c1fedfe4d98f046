"""{% load breadcrumbs %}: the way to a page, each word of it once."""

from typing import Any

from django import template
from django.utils.text import capfirst

register = template.Library()


@register.filter
def once(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those called as the next one is: a list, and not the app that has the same name."""
    names = [capfirst(str(part["title"])) for part in parts]
    return [part for part, name, following in zip(parts, names, [*names[1:], None], strict=True) if name != following]
