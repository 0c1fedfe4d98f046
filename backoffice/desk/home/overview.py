"""What the desk shows: what is running, what failed today, what fires next. Each person sees what they may."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from celery import states
from django.db.models import Q
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from backoffice.runs.failing import standing
from backoffice.runs.labels import run_title, task_label
from backoffice.runs.models import Run, RunQuerySet
from backoffice.runs.pages.progress import in_words, percent

from ..failures.settled import Failed, settled
from ..health.health import Check, checks
from ..parts.documents import one_line
from ..parts.links import admin_url
from .next_firings import NextFiring, next_firings

SHOWN = 8  # rows of a list
RECENT = 1_000  # runs and failures looked at when asking what failed today


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the desk shows it; also what the page's poll answers."""

    id: int | str = ""
    url: str = ""
    title: str = ""
    requester: str = ""
    state: str = ""
    label: str = ""
    counts: str = ""
    due: datetime | None = None  # of one that is planned
    done: int = 0
    total: int = 0
    percent: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class FailedTask:
    url: str
    task: str
    at: datetime
    error: str


@dataclass(slots=True)
class Overview:
    running: list[RunRow] = field(default_factory=list)
    more_running: int = 0
    planned: list[RunRow] = field(default_factory=list)
    failed_runs: list[RunRow] = field(default_factory=list)
    failed_tasks: list[FailedTask] = field(default_factory=list)
    failed_tasks_count: str = ""
    sees_tasks: bool = False
    firings: list[NextFiring] = field(default_factory=list)
    broken: list[NextFiring] = field(default_factory=list)
    sees_schedules: bool = False
    checks: list[Check] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        return all(check.ok for check in self.checks)


def overview(user: Any) -> Overview:
    running, more = running_now(user)
    page = Overview(
        running=running, more_running=more, planned=planned(user), failed_runs=failed_runs_today(user), checks=checks()
    )
    if user.has_perm("django_celery_results.view_taskresult"):
        page.sees_tasks = True
        page.failed_tasks, page.failed_tasks_count = failed_tasks_today()
    if user.has_perm("django_celery_beat.view_periodictask"):
        page.sees_schedules = True
        page.firings, page.broken = next_firings()
    return page


def running_now(user: Any) -> tuple[list[RunRow], int]:
    """Runs whose time has come, newest first, and how many more there are."""
    found = list(dressed(visible(user).open().filter(activated_at__isnull=False))[: SHOWN + 100])
    return [row(run) for run in found[:SHOWN]], len(found[SHOWN:])


def planned(user: Any) -> list[RunRow]:
    """Runs that wait for their time, the next one first."""
    return [row(run) for run in dressed(visible(user).planned()).order_by("due_at", "pk")[:SHOWN]]


def progress(user: Any, known: Iterable[int]) -> dict[str, Any]:
    """For the page's poll: the open runs, and how those ended that the page shows and are open no more."""
    running, more = running_now(user)
    open_ids = {run.id for run in running}
    ended = dressed(visible(user).filter(Q(pk__in=set(known) - open_ids)))[:SHOWN]
    waiting = list(visible(user).planned().order_by("due_at", "pk").values_list("pk", flat=True)[:SHOWN])
    runs = [asdict(run) for run in (*running, *map(row, ended))]
    return {"open": len(running) + more, "more": more, "planned": waiting, "runs": runs}


def visible(user: Any) -> RunQuerySet:
    return Run.objects.visible_to(user)


def dressed(runs: RunQuerySet) -> RunQuerySet:
    return standing.with_settled(runs.select_related("task").order_by("-pk"))


def row(run: Run) -> RunRow:
    return RunRow(
        id=run.pk,
        url=admin_url(run),
        title=run_title(run),
        requester=run.requester_name or run.schedule_name or _("the system"),
        state=run.state,
        label=run.get_state_display(),
        counts=in_words(run),
        due=run.due_at if run.activated_at is None else None,
        done=run.done,
        total=run.total,
        percent=percent(run),
        finished=run.is_finished,
    )


def midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def failed_runs_today(user: Any) -> list[RunRow]:
    # Only the newest are looked at: runs carry no index on their end, and this page must stay quick.
    newest = visible(user).order_by("-pk").values("pk")[:RECENT]
    today = Q(finished_at=None) | Q(finished_at__gte=midnight())
    failing = standing.with_failures(Run.objects.filter(today, pk__in=newest))
    return [row(run) for run in failing.select_related("task").order_by("-pk")[:SHOWN]]


def failed_tasks_today() -> tuple[list[FailedTask], str]:
    """The newest failures of today that stand, and their number as text, with a plus where counting stopped."""
    # By state and id, which is what the index on state gives for nothing: no count over a million rows.
    found = TaskResult.objects.filter(status=states.FAILURE).order_by("-pk")
    newest = map(Failed._make, found.values_list("pk", "task_id", "task_name", "date_done")[: RECENT + 1])
    today = [failed for failed in newest if failed.at >= midnight()]
    over = settled(today)
    ids = [failed.pk for failed in today if failed.task_id not in over]
    number = number_format(len(ids)) + ("+" if len(today) > RECENT else "")
    shown = TaskResult.objects.filter(pk__in=ids[:5]).annotate(start=Substr("result", 1, 2_000)).order_by("-pk")
    return [failed_task(result) for result in shown.only("task_name", "date_done")] if ids else [], number


def failed_task(result: Any) -> FailedTask:
    task = task_label(result.task_name) if result.task_name else _("unknown task")
    return FailedTask(admin_url(result), task, result.date_done, one_line(result.start))
