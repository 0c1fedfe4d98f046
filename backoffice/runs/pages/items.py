"""The items of a run, a page at a time, with links to record and result."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django_celery_results.models import TaskResult

from .. import access
from ..engine.error_kinds import failed
from ..failing.standing import Settled, settled_among
from ..models import TERMINAL, Run, RunItem, State

PAGE = 50


@dataclass(frozen=True)
class Line:
    item: RunItem
    label: str
    record_url: str
    result_url: str
    settled: Settled | None = None  # of a failure

    @property
    def is_standing(self) -> bool:
        return self.item.state == State.FAILURE and self.settled is None

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
    names = named(run, [item.record_id for item in items], user)
    task_ids = {run.item_task_id(item.record_id): item for item in items if item.state in TERMINAL or item.retries}
    failures = [item.record_id for item in items if item.state == State.FAILURE]
    settled = settled_among(run, failures) if failures else {}
    results = dict(TaskResult.objects.filter(task_id__in=task_ids).values_list("task_id", "pk"))
    return [
        Line(
            item,
            *names[item.record_id],
            _url(TaskResult, results.get(run.item_task_id(item.record_id))),
            settled.get(item.record_id),
        )
        for item in items
    ]


def named(run: Run, ids: list[int], user: Any) -> dict[int, tuple[str, str]]:
    """What records are called, and their addresses, for a user who may look at them."""
    model: Any = run.record_type.model_class()
    records = model._base_manager.in_bulk(ids) if model and access.may_see_records(user, model) else {}
    return {
        pk: (str(records[pk]), _url(model, pk)) if pk in records else (f"{run.record_type.name} {pk}", "") for pk in ids
    }


def _url(model: Any, pk: int | None) -> str:
    if pk is None or not admin.site.is_registered(model):
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""
