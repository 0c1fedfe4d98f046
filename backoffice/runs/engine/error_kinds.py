"""A run's failures by the kind of their error: the exception's name, or the sentence without the record's number."""

from typing import Any

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.functions import Cast, Replace, StrIndex, Substr

from ..models import Run, RunItem


def failed(run: Run, kind: str = "") -> QuerySet[Any]:
    """The failed items, annotated with the `kind` of their error; of one kind only, if it is given."""
    kinds = Case(
        When(error__contains=": ", then=Substr("error", 1, StrIndex("error", Value(": ")) - 1)),
        default=Replace(F("error"), Cast("record_id", CharField()), Value("…")),  # type: ignore[arg-type]
        output_field=CharField(),
    )
    items: QuerySet[Any] = RunItem.objects.of(run).failed().annotate(kind=kinds)
    if "\x00" in kind:  # PostgreSQL has no such text, and would raise
        return items.none()
    return items.filter(kind=kind) if kind else items
