"""What moves on the desk: tiles, what is running, what is planned, and what came of the last runs. Three questions."""

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import F, FilteredRelation, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backoffice.runs import access
from backoffice.runs.labels import run_name
from backoffice.runs.models import Run, RunQuerySet, Tally
from backoffice.runs.pages.progress import in_words, percent
from backoffice.runs.pages.run import bar
from backoffice.runs.registry import record_tasks

from ..models import DayCount
from ..parts.links import admin_url
from .tiles import LOOKED_BACK, Tiles, counted, tiles

SHOWN = 8  # rows of a list
LAST = 6
OPEN = 200  # runs looked at that have not ended


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the desk shows it."""

    id: int
    url: str
    title: str
    requester: str
    state: str
    label: str
    counts: str
    due: datetime | None  # of one that is planned
    ended: datetime | None
    done: int
    total: int
    percent: int
    finished: bool
    parts: list[bar.Part]  # of one that has ended


@dataclass(frozen=True, slots=True)
class Live:
    tiles: list[Tiles] = field(default_factory=list)
    running: list[RunRow] = field(default_factory=list)
    more_running: int = 0
    planned: list[RunRow] = field(default_factory=list)
    last: list[RunRow] = field(default_factory=list)
    may_start: bool = False  # any task of records

    @property
    def open(self) -> int:
        return len(self.running) + self.more_running


def live(request: HttpRequest, counts: list[DayCount] | None = None) -> Live:
    """`counts`: those of the last days, where they are known."""
    if counts is None:
        counts = list(counted(request, LOOKED_BACK).filter(kind=DayCount.Kind.WAITING))
    runs = not_ended(request.user)
    running = sorted((run for run in runs if run.activated_at), key=attrgetter("activated_at"), reverse=True)
    planned = sorted((run for run in runs if run.is_planned and not run.cancelled_at), key=attrgetter("due_at"))
    return Live(
        tiles(request, counts),
        [row(run) for run in running[:SHOWN]],
        len(running[SHOWN:]),
        [row(run) for run in planned[:SHOWN]],
        [row(run, bar.parts(run, tallies)) for run, tallies in last_ended(request.user)],
        any(access.may_start(request.user, task) for task in record_tasks().values()),
    )


def visible(user: Any) -> RunQuerySet:
    return Run.objects.visible_to(user)


def not_ended(user: Any) -> list[Run]:
    # By the index of those that have not ended, which is in this order: for another one SQLite reads all runs.
    return list(visible(user).open().select_related("task").order_by("-pk")[:OPEN])


def last_ended(user: Any) -> list[tuple[Run, list[Tally]]]:
    """The last runs with what their records came to: a row for each outcome."""
    ended = visible(user).filter(finished_at__isnull=False).order_by("-finished_at", "-pk").values("pk")[:LAST]
    of_outcomes = FilteredRelation("tallies", condition=Q(tallies__kind=Tally.Kind.OUTCOME))
    rows = Run.objects.filter(pk__in=ended).select_related("task").annotate(came_to=of_outcomes)
    found: dict[int, tuple[Run, list[Tally]]] = {}
    for run in rows.annotate(key=F("came_to__key"), number=F("came_to__number")).order_by("-finished_at", "-pk"):
        _run, tallies = found.setdefault(run.pk, (run, []))
        if run.key is not None:
            tallies.append(Tally(kind=Tally.Kind.OUTCOME, key=run.key, number=run.number))
    return list(found.values())


def row(run: Any, parts: list[bar.Part] | None = None) -> RunRow:
    return RunRow(
        id=run.pk,
        url=admin_url(run),
        title=f"{run.pk} · {run_name(run)}",
        requester=run.requester_name or run.schedule_name or _("the system"),
        state=run.state,
        label=run.get_state_display(),
        counts=bar.in_words(parts) if parts else in_words(run),
        due=run.due_at if run.activated_at is None else None,
        ended=run.finished_at,
        done=run.done,
        total=run.total,
        percent=percent(run),
        finished=run.is_finished,
        parts=parts or [],
    )
