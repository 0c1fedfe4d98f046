"""What beat fires next, and what it never will. Reads beat's rows and changes none; a bad row stops no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.schedules import enabling
from backoffice.schedules.models import ScheduleState
from backoffice.schedules.rules import permitted, timing
from backoffice.schedules.rules.verify import BadSchedule, verify_timing
from backoffice.schedules.rules.words import called

from ..parts.links import url_or_blank

MOST = 300  # rows that come again and again: staff have dozens
TICKING = timedelta(minutes=2)  # what fires more often is the machine's own clockwork and would fill the list
LATELY = timedelta(days=7)
RELATED = ("interval", "crontab", "solar", "clocked", "state")


@dataclass(frozen=True, slots=True)
class NextFiring:
    name: str
    url: str
    at: datetime | None
    problem: str = ""

    @property
    def is_due(self) -> bool:
        return self.at is not None and self.at <= timezone.now()


def next_firings(limit: int = 5) -> tuple[list[NextFiring], list[NextFiring]]:
    """The next firings, soonest first; and the schedules that never fire, each with its reason."""
    enabled = PeriodicTask.objects.filter(enabled=True)
    # One-off rows may be thousands, but those the database can sort. Planned runs stand on the desk themselves.
    once = enabled.filter(clocked__isnull=False, total_run_count=0).exclude(task=permitted.START_DUE)
    once = once.order_by("clocked__clocked_time")[:limit]
    again = enabled.filter(clocked=None).order_by("pk")[:MOST]
    found = [firing for rows in (again, once) for row in loaded(rows) if (firing := read(row))]
    coming = sorted((firing.at, firing.name, firing.url, firing) for firing in found if firing.at)
    broken = [firing for firing in found if firing.problem]
    return [parts[-1] for parts in coming[:limit]], [*broken, *turned_off(limit)][:limit]


def loaded(rows: QuerySet[PeriodicTask]) -> Iterator[PeriodicTask | int]:
    """The rows; or for one that Django cannot load, such as one with a time zone that does not exist, its id."""
    try:
        yield from list(rows.select_related(*RELATED))
    except DatabaseError:
        raise
    except Exception:  # whatever a field's converter raises
        for pk in list(rows.values_list("pk", flat=True)):
            yield loaded_alone(pk)


def loaded_alone(pk: int) -> PeriodicTask | int:
    try:
        return PeriodicTask.objects.select_related(*RELATED).get(pk=pk)
    except DatabaseError:
        raise
    except Exception:
        return pk


def read(row: PeriodicTask | int) -> NextFiring | None:
    if isinstance(row, int):
        return NextFiring(_("Schedule %d") % row, url_of(row), None, _("It cannot be loaded."))
    try:
        verify_timing(row)
    except BadSchedule as error:
        return NextFiring(str(row), url_of(row.pk), None, str(error))
    now = timezone.now()
    if ended(row, now) or (row.interval_id and timing.interval_of(row) < TICKING):
        return None
    at = row.clocked.clocked_time if row.clocked_id else timing.next_due_or_none(row, now)
    return NextFiring(str(row), url_of(row.pk), at) if at else None


def ended(row: PeriodicTask, now: datetime) -> bool:
    return bool((row.expires and row.expires <= now) or (row.one_off and row.total_run_count))


def turned_off(limit: int) -> list[NextFiring]:
    """What beat itself turned off lately. By name and reason alone: the row may hold what cannot be loaded."""
    off = ScheduleState.objects.filter(
        schedule__enabled=False, off_by=enabling.BEAT, off_at__gte=timezone.now() - LATELY
    )
    facts = off.exclude(reason="").order_by("-off_at").values_list("schedule_id", "schedule__name", "reason")
    return [NextFiring(called(name), url_of(pk), None, reason) for pk, name, reason in facts[:limit]]


def url_of(pk: int) -> str:
    return url_or_blank("admin:django_celery_beat_periodictask_change", pk)
