"""Whether the previous firing of a schedule is still at work."""

from collections.abc import Iterable

from django.db.models import Min, OuterRef, Subquery
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from backoffice.runs.models import Run

from ..models import Firing
from ..rules import permitted


def busy(schedule: PeriodicTask, before: Firing | None = None) -> str:
    """Why the previous firing, or the one before that firing, counts as still at work; "" when it does not."""
    if before is None:
        return busy_of([schedule])[schedule.pk]
    earlier = Firing.objects.filter(schedule_id=schedule.pk, pk__lt=before.pk).exclude(state=Firing.State.SKIPPED)
    last = earlier.order_by("-pk").first()
    return why(schedule, last, open_runs([schedule.pk]).get(schedule.pk), at_work([last] if last else []))


def busy_of(schedules: Iterable[PeriodicTask]) -> dict[int, str]:
    """The same for many schedules, in three queries."""
    found = {schedule.pk: schedule for schedule in schedules}
    runs, last = open_runs(found), last_firings(found)
    started = at_work(last.values())
    return {pk: why(schedule, last.get(pk), runs.get(pk), started) for pk, schedule in found.items()}


def open_runs(schedule_ids: Iterable[int]) -> dict[int, int]:
    runs = Run.objects.open().filter(schedule_id__in=list(schedule_ids)).exclude(activated_at=None)
    return dict(runs.order_by().values_list("schedule_id").annotate(first=Min("pk")))


def last_firings(schedule_ids: Iterable[int]) -> dict[int, Firing]:
    """The newest firing of each schedule that was not skipped."""
    of_schedule = Firing.objects.filter(schedule_id=OuterRef("pk")).exclude(state=Firing.State.SKIPPED).order_by("-pk")
    schedules = PeriodicTask.objects.filter(pk__in=list(schedule_ids)).annotate(
        last=Subquery(of_schedule.values("pk")[:1])
    )
    newest = Firing.objects.in_bulk([pk for pk in schedules.values_list("last", flat=True) if pk])
    return {firing.schedule_id: firing for firing in newest.values() if firing.schedule_id}


def at_work(firings: Iterable[Firing]) -> set[str]:
    ids = [firing.task_id for firing in firings]
    results = TaskResult.objects.filter(task_id__in=ids, status__in=("STARTED", "RETRY"))
    return set(results.values_list("task_id", flat=True)) if ids else set()


def why(schedule: PeriodicTask, last: Firing | None, run: int | None, started: set[str]) -> str:
    if run:
        return _("The previous firing was still at work: run %(run)s.") % {"run": run}
    if last is None:
        return ""
    if last.state == Firing.State.WAITING and last.reason:
        return _("The firing before had not been sent: %(why)s") % {"why": last.reason}
    if last.state == Firing.State.WAITING or (
        schedule.task == permitted.START_RUN and not last.note and not last.run_id
    ):
        return _("The previous firing had not been picked up by a worker yet.")
    return _("The task of the previous firing was still at work.") if last.task_id in started else ""
