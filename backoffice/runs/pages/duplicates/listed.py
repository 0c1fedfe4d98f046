"""At the list of records: the filter, and how many candidates each record of a page has."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ...duplicates import candidates


class DuplicateFilter(admin.SimpleListFilter):
    """For `list_filter` of a model that says by what its records are compared."""

    title = _("possible duplicates")
    parameter_name = "duplicates"
    named = (_("Possible duplicates"), "open")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("open", _("with a possible duplicate")), ("settled", _("said to be no duplicate"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(pk__in=candidates.with_candidates(queryset.model))
        if self.value() == "settled":
            low, high = candidates.settled(queryset.model)
            return queryset.filter(Q(pk__in=low) | Q(pk__in=high))
        return queryset


def visible(rows: QuerySet[Any], model: Any, ids: Iterable[int], *, marked: bool = False) -> candidates.Candidates:
    """The candidates of these records that are among `rows`: those that a person may look at."""
    found = candidates.of(model, list(ids), marked=marked)
    asked = {other for others in found.values() for other in others}
    there = set(rows.order_by().filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
    left = {pk: [other for other in others if other in there] for pk, others in found.items()}
    return {pk: others for pk, others in left.items() if others}


def number(others: list[int]) -> str:
    return f"{len(others)}+" if len(others) >= candidates.MOST - 1 else str(len(others))
