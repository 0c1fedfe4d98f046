"""The items of a run, a page at a time, with links to record and result."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Case, CharField, Count, F, QuerySet, Value, When
from django.db.models.functions import Cast, Replace, StrIndex, Substr
from django.urls import NoReverseMatch, reverse
from django_celery_results.models import TaskResult

from . import access
from .models import TERMINAL, Run, RunItem, State

PAGE = 50
GROUPED = 100_000  # failures looked at for the groups of a page: 0.2 s; all of a million, when asked for, 2 s
GROUPS = 12  # groups of a page
ALL_GROUPS = 200


@dataclass(frozen=True)
class Line:
    item: RunItem
    label: str
    record_url: str
    result_url: str

    @property
    def seconds(self) -> float | None:
        begun, ended = self.item.started_at, self.item.finished_at
        return (ended - begun).total_seconds() if begun and ended else None


@dataclass(frozen=True)
class ItemPage:
    lines: list[Line]
    next_after: int | None
    state: str
    error: str


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


def page(run: Run, state: str = "", after: int | None = None, error: str = "", *, user: Any = None) -> ItemPage:
    """One page in order of record id, by key and not by offset: page 20,000 costs what page 1 does.

    Records have their names for a `user` who may look at them; without one, for nobody.
    """
    items: QuerySet[Any] = RunItem.objects.of(run)
    state = state if state in State.values else ""
    if error:
        items, state = failed(run, error), str(State.FAILURE)
    elif state:
        items = items.filter(state=state)
    later = items if after is None else items.filter(record_id__gt=after)
    rows = list(later.order_by("record_id")[: PAGE + 1])
    if after is not None and not rows:  # beyond the end: the last page
        rows = list(reversed(items.order_by("-record_id")[:PAGE]))
    shown = rows[:PAGE]
    return ItemPage(_lines(run, shown, user), shown[-1].record_id if len(rows) > PAGE else None, state, error)


def _lines(run: Run, items: list[RunItem], user: Any) -> list[Line]:
    model: Any = run.record_type.model_class()
    ids = [item.record_id for item in items]
    records = model._base_manager.in_bulk(ids) if model and access.may_see_records(user, model) else {}
    task_ids = {run.item_task_id(item.record_id): item for item in items if item.state in TERMINAL or item.retries}
    results = dict(TaskResult.objects.filter(task_id__in=task_ids).values_list("task_id", "pk"))
    return [
        Line(
            item,
            str(records.get(item.record_id, f"{run.record_type.name} {item.record_id}")),
            _url(model, item.record_id) if item.record_id in records else "",
            _url(TaskResult, results.get(run.item_task_id(item.record_id))),
        )
        for item in items
    ]


def _url(model: Any, pk: int | None) -> str:
    if pk is None or not admin.site.is_registered(model):
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""
