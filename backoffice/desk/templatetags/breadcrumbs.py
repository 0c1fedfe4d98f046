"""{% load breadcrumbs %}: the way to a page as the navigation names it, each word of it once."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.text import capfirst

from .. import navigation

register = template.Library()

type Part = dict[str, Any]


@register.simple_tag(takes_context=True)
def way(context: Any, parts: list[Part]) -> list[Part]:
    """Without those called as the next one is: a list, and not the app that has the same name."""
    named = list(as_in_navigation(navigation.sidebar(context["request"]), parts)) if parts else []
    names = [capfirst(str(part["title"])) for part in named]
    return [part for part, name, following in zip(named, names, [*names[1:], None], strict=True) if name != following]


def as_in_navigation(groups: list[Any], parts: list[Part]) -> Iterator[Part]:
    """The app gives way to the heading under which its list stands; or leads to the list that is called as it is."""
    items = [(group["title"], item) for group in groups for item in group["items"]]
    above = {item["link"].partition("?")[0]: title for title, item in items}
    lists = {str(item["title"]): item["link"] for _title, item in items}
    heading = next((above[part["link"]] for part in parts[1:] if part["link"] in above), "")
    for at, part in enumerate(parts):
        if at == 0 and heading:
            yield {"title": heading, "link": ""}
        elif at == 0 and capfirst(str(part["title"])) in lists:
            yield {**part, "link": lists[capfirst(str(part["title"]))]}
        else:
            yield part
