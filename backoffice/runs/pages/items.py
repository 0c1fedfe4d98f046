"""The items of a run, a page at a time, with links to record and result."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django_celery_results.models import TaskResult

from .. import access
from ..change.shown import Move, moves_in_words
from ..engine.error_kinds import failed
from ..failing.standing import Settled, settled_among
from ..models import TERMINAL, LeftAlone, Run, RunItem, State

PAGE = 50
ALONE = "ALONE"  # for the states that pages choose by: those that an undo left alone


@dataclass(frozen=True)
class Line:
    item: RunItem
    label: str
    record_url: str
    result_url: str
    settled: Settled | None = None  # of a failure
    moves: tuple[Move, ...] = ()  # of one that an undo left alone

    @property
    def is_retryable(self) -> bool:
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
    state = state if state in (*State.values, ALONE) else ""
    if error:
        items, state = failed(run, error), str(State.FAILURE)
    elif state == ALONE:
        items = items.filter(state=State.REVOKED).exclude(outcome="")
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
    moves = _moves(run, [item.record_id for item in items if item.is_left_alone], user)
    results = dict(TaskResult.objects.filter(task_id__in=task_ids).values_list("task_id", "pk"))
    return [
        Line(
            item,
            *names[item.record_id],
            _url(TaskResult, results.get(run.item_task_id(item.record_id))),
            settled.get(item.record_id),
            moves.get(item.record_id, ()),
        )
        for item in items
    ]


def _moves(run: Run, ids: list[int], user: Any) -> dict[int, tuple[Move, ...]]:
    """What their fields held and hold, for a user who may look at the records."""
    model = run.record_type.model_class()
    if not ids or model is None or not access.may_see_records(user, model):
        return {}
    rows = LeftAlone.objects.filter(run=run, record_id__in=ids)
    return {row.record_id: moves_in_words(model, row.moves) for row in rows}


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
