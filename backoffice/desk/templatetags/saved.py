"""{% load saved %}: the views of a list that this person has saved."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import QueryDict

from backoffice.runs.pages.listing.named import asked_for

from ..models import SavedView

register = template.Library()


@dataclass(frozen=True, slots=True)
class Saved:
    pk: int
    name: str
    url: str
    is_here: bool


@register.simple_tag(takes_context=True)
def saved_views(context: Any, changelist: Any) -> list[Saved]:
    request, label = context["request"], changelist.opts.label_lower
    here = asked_for(request.GET)
    rows = SavedView.objects.filter(user_id=request.user.pk, label=label)
    return [
        Saved(row.pk, row.name, f"{request.path}?{row.query}", asked_for(QueryDict(row.query)) == here) for row in rows
    ]
