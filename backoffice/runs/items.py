"""The items of a run, a page at a time, with links to record and result."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.functions import Cast, Replace, StrIndex, Substr
from django.urls import NoReverseMatch, reverse
from django_celery_results.models import TaskResult

from .models import TERMINAL, Run, RunItem, State

PAGE = 50
GROUPED = 20_000  # failures looked at for the groups of a page


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


def failed(run: Run, kind: str = "") -> QuerySet[Any]:
    """The failed items, annotated with the `kind` of their error; of one kind only, if it is given."""
    kinds = Case(
        When(error__contains=": ", then=Substr("error", 1, StrIndex("error", Value(": ")) - 1)),
        default=Replace(F("error"), Cast("record_id", CharField()), Value("…")),  # type: ignore[arg-type]
        output_field=CharField(),
    )
    items: QuerySet[Any] = RunItem.objects.of(run).failed().annotate(kind=kinds)
    return items.filter(kind=kind) if kind else items


def error_groups(run: Run, limit: int = 12) -> list[ErrorGroup]:
    """The most frequent kinds of error, from the run's first failures: a page is bounded, whatever went wrong."""
    if not run.failed:
        return []
    first = failed(run).order_by("record_id").values("kind")[:GROUPED]
    kinds = Counter(row["kind"] for row in first.iterator())
    return [ErrorGroup(kind, number) for kind, number in kinds.most_common(limit)]


def page(run: Run, state: str = "", after: int | None = None, error: str = "") -> ItemPage:
    """One page in order of record id, by key and not by offset: page 20,000 costs what page 1 does."""
    items: QuerySet[Any] = RunItem.objects.of(run)
    state = state if state in State.values else ""
    if error:
        items, state = failed(run, error), str(State.FAILURE)
    elif state:
        items = items.filter(state=state)
    if after is not None:
        items = items.filter(record_id__gt=after)
    rows = list(items.order_by("record_id")[: PAGE + 1])
    shown = rows[:PAGE]
    return ItemPage(_lines(run, shown), shown[-1].record_id if len(rows) > PAGE else None, state, error)


def _lines(run: Run, items: list[RunItem]) -> list[Line]:
    model: Any = run.record_type.model_class()
    ids = [item.record_id for item in items]
    records = model._base_manager.in_bulk(ids) if model else {}
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
