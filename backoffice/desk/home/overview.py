"""What the desk shows: what waits, what is running, what came of it, what fires next; each person what they may."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import states
from django.db.models import Q
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from backoffice.runs.failing import standing
from backoffice.runs.labels import task_label
from backoffice.runs.models import Run

from ..agreement.shown import Shown
from ..failures.settled import Failed, settled
from ..health.health import Check, checks
from ..models import Comparison
from ..parts.documents import one_line
from ..parts.links import admin_url
from .chart import DAYS, Chart, charts
from .live import SHOWN, Live, RunRow, live, row, visible
from .next_firings import NextFiring, next_firings
from .tiles import counted

RECENT = 1_000  # runs and failures looked at when asking what failed today


@dataclass(frozen=True, slots=True)
class FailedTask:
    url: str
    task: str
    at: datetime
    error: str


@dataclass(slots=True)
class Overview:
    live: Live
    charts: list[Chart] = field(default_factory=list)
    failed_runs: list[RunRow] = field(default_factory=list)
    failed_tasks: list[FailedTask] = field(default_factory=list)
    failed_tasks_count: str = ""
    sees_tasks: bool = False
    firings: list[NextFiring] = field(default_factory=list)
    broken: list[NextFiring] = field(default_factory=list)
    sees_schedules: bool = False
    checks: list[Check] = field(default_factory=list)
    may_mend: bool = False  # what is wrong with the installation
    compared: Shown | None = None
    sees_comparisons: bool = False

    @property
    def wrong(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]


def overview(request: HttpRequest) -> Overview:
    user: Any = request.user
    counts = list(counted(request, DAYS))
    page = Overview(live(request, counts), charts(request, counts), failed_runs_today(user), checks=checks())
    page.may_mend = user.is_superuser
    if user.has_perm("django_celery_results.view_taskresult"):
        page.sees_tasks = True
        page.failed_tasks, page.failed_tasks_count = failed_tasks_today()
    if user.has_perm("django_celery_beat.view_periodictask"):
        page.sees_schedules = True
        page.firings, page.broken = next_firings()
    if user.has_perm("desk.view_comparison"):
        page.sees_comparisons, page.compared = True, last_compared()
    return page


def last_compared() -> Shown | None:
    found = Comparison.objects.filter(open=None).order_by("-pk").first()
    return Shown(found) if found else None


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
