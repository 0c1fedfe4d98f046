"""A run's failures by the kind of their error, counted by the database, and no more of them than a page waits for."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, F, QuerySet, Value, When
from django.db.models.functions import Cast, Replace, StrIndex, Substr

from ..models import Run, RunItem

GROUPED = 100_000  # failures looked at for the groups of a page: 0.2 s; all of a million, when asked for, 2 s
GROUPS = 12  # groups of a page
ALL_GROUPS = 200


@dataclass(frozen=True)
class ErrorGroup:
    """Failures of one kind: the exception's name, or the sentence without the record's own number."""

    kind: str
    number: int


@dataclass(frozen=True)
class ErrorGroups:
    groups: list[ErrorGroup]
    only_first: str = ""  # so many of the run's failures were looked at, in words; empty: all


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


def error_groups(run: Run, *, whole: bool = False) -> ErrorGroups:
    """The most frequent kinds of error, counted by the database. Of the first failures only, unless the `whole` is
    asked for: a page is bounded, whatever went wrong."""
    if not run.failed:
        return ErrorGroups([])
    items, is_all = failed(run).order_by(), whole or run.failed <= GROUPED
    if not is_all:
        ids = RunItem.objects.of(run).failed().order_by("record_id").values_list("record_id", flat=True)
        items = items.filter(record_id__lt=ids[GROUPED : GROUPED + 1])
    counted = items.values_list("kind").annotate(number=Count("record_id")).order_by("-number", "kind")
    limit = ALL_GROUPS if whole else GROUPS
    return ErrorGroups([ErrorGroup(*row) for row in counted[:limit]], "" if is_all else f"{GROUPED:,}")
