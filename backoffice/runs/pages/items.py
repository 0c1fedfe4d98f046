"""The items of a run, a page at a time, with links to record and result."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django_celery_results.models import TaskResult

from .. import access
from ..change.shown import Move, moves_in_words
from ..engine.error_kinds import failed
from ..failing.standing import Settled, settled_among
from ..models import TERMINAL, LeftAlone, Run, RunItem, State, Tally
from . import back
from .numbers import row_number
from .run import bar, deleted, words
from .run.bar import ALONE
from .run.words import Badge

PAGE = 50


@dataclass(frozen=True)
class Line:
    item: RunItem
    label: str
    record_url: str
    result_url: str
    settled: Settled | None = None  # of a failure
    moves: tuple[Move, ...] = ()  # of one that an undo left alone
    outcome: Badge | None = None
    said: str = ""

    @property
    def is_retryable(self) -> bool:
        return self.item.state == State.FAILURE and self.settled is None

    @property
    def seconds(self) -> float | None:
        begun, ended = self.item.started_at, self.item.finished_at
        return (ended - begun).total_seconds() if begun and ended else None


@dataclass(frozen=True)
class Chosen:
    """Which of a run's records are looked at: of one state, or outcome, or of failures that are alike; and from where
    on, by key."""

    state: str = ""
    outcome: str = ""
    alike: str = ""
    error: str = ""  # a kind of error, as `retry` takes it
    after: int | None = None
    before: int | None = None

    @classmethod
    def by(cls, query: QueryDict) -> Self:
        texts = {name: query.get(name, "").replace("\x00", "") for name in ("state", "outcome", "alike", "error")}
        return cls(**texts, after=row_number(query.get("after")), before=row_number(query.get("before")))

    @classmethod
    def kept(cls, query: QueryDict) -> str:
        """What an address says besides, to be followed by another choice."""
        other = query.copy()
        for name in (each.name for each in fields(cls)):
            other.pop(name, None)
        return f"{other.urlencode()}&" if other else ""

    def on_the_way_from(self, run: Run, record_url: str) -> str:
        """The address of a record from which next and previous are those of this choice."""
        named = {each: getattr(self, each) for each in ("state", "outcome", "alike", "error")}
        told = f"{run.pk}?{urlencode({name: value for name, value in named.items() if value})}"
        return f"{record_url}?{urlencode({back.FILTERS: urlencode({back.RUN: told})})}" if record_url else ""

    @property
    def is_all(self) -> bool:
        return not (self.state or self.outcome or self.alike or self.error)


@dataclass(frozen=True)
class ItemPage:
    chosen: Chosen
    lines: list[Line]
    next_after: int | None = None
    previous_before: int | None = None


def page(run: Run, chosen: Chosen, tallies: Iterable[Tally] = (), *, user: Any = None) -> ItemPage:
    """One page in order of record id, by key and not by offset: page 20,000 costs what page 1 does.

    Records have their names for a `user` who may look at them; without one, for nobody.
    """
    items, ahead, behind = chosen_of(run, chosen, tallies), False, False
    if chosen.before is not None:
        found = list(items.filter(record_id__lt=chosen.before).order_by("-record_id")[: PAGE + 1])
        rows, ahead, behind = found[PAGE - 1 :: -1] if len(found) >= PAGE else found[::-1], True, len(found) > PAGE
    if chosen.before is None or not rows:
        later = items if chosen.after is None else items.filter(record_id__gt=chosen.after)
        found = list(later.order_by("record_id")[: PAGE + 1])
        rows, ahead, behind = found[:PAGE], len(found) > PAGE, chosen.after is not None
        if chosen.after is not None and not rows:  # beyond the end: the last page
            found = list(items.order_by("-record_id")[: PAGE + 1])
            rows, behind = found[:PAGE][::-1], len(found) > PAGE
    return ItemPage(
        chosen, _lines(run, chosen, rows, user),
        rows[-1].record_id if rows and ahead else None, rows[0].record_id if rows and behind else None,
    )  # fmt: skip


def chosen_of(run: Run, chosen: Chosen, tallies: Iterable[Tally]) -> "QuerySet[Any]":
    items: QuerySet[Any] = RunItem.objects.of(run)
    if chosen.outcome:
        return bar.with_outcome(items, bar.outcomes(run, tallies), chosen.outcome)
    if chosen.alike:
        return bar.alike(items, bar.groups(tallies), chosen.alike)
    if chosen.error:
        return failed(run, chosen.error)
    if chosen.state == ALONE:
        return items.filter(state=State.REVOKED).exclude(outcome="")
    return items.filter(state=chosen.state) if chosen.state in State.values else items


def _lines(run: Run, chosen: Chosen, items: list[RunItem], user: Any) -> list[Line]:
    found = named(run, [item.record_id for item in items], user)
    names = {pk: (label, chosen.on_the_way_from(run, url)) for pk, (label, url) in found.items()}
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
            *words.split(run, item.outcome if item.state == State.SUCCESS else ""),
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
    if model is None or not access.may_see_records(user, model):
        return {pk: (f"{run.record_type.name} {pk}", "") for pk in ids}
    records = model._base_manager.in_bulk(ids)
    gone = deleted.names(model, [pk for pk in ids if pk not in records])
    return {pk: (str(records[pk]), _url(model, pk)) if pk in records else (gone[pk], "") for pk in ids}


def _url(model: Any, pk: int | None) -> str:
    if pk is None or not admin.site.is_registered(model):
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""
