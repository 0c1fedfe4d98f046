"""From due times to decisions: what is due, and what was missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results import bulk
from backoffice.results.activity import name_of
from backoffice.results.values.text import storable
from backoffice.runs.database import references
from backoffice.runs.database.again import again

from .. import enabling
from ..models import Firing, Missed, ScheduleState
from ..rules import permitted, timing
from ..rules.verify import BadSchedule, verify
from . import publish

# Later than this a due time counts as missed: longer than another beat needs to take over.
GRACE = timedelta(seconds=30)
EACH_LIMIT = 100  # "run each": no more than this many of the newest, so that a week's downtime is no flood
JUST_NOW = timedelta(seconds=5)
SKEW = timedelta(minutes=5)  # between the clocks of two machines that run beat
KEEP = 1_000  # firings kept per schedule


@dataclass
class Decision:
    """What becomes of the due times since the last decision."""

    newest: datetime
    fire: list[datetime]
    missed_from: datetime | None = None
    missed: int = 0


def still_holds(schedule: PeriodicTask, state: ScheduleState) -> bool:
    """Whether what was decided still holds: same timing, and not turned off and on in between (last_run_at empty)."""
    if state.decided_until is None or state.timing != timing.fingerprint(schedule):
        return False
    if schedule.clocked_id:
        return True
    horizon = timezone.now() + SKEW
    if state.decided_until > horizon:
        return False  # the clock has been set back: what is due by the new one is not decided
    return bool(schedule.last_run_at or state.decided_until >= schedule.date_changed or schedule.date_changed > horizon)


@dataclass(frozen=True)
class Beginning:
    """From when on the due times of a new or changed timing count."""

    state: ScheduleState
    since: datetime
    timing: str


@again()
def begin(beginnings: Sequence[Beginning]) -> None:
    """Write them in one transaction; where another beat was first, take what it wrote."""
    with transaction.atomic():
        states = ScheduleState.objects.filter(pk__in=[new.state.pk for new in beginnings]).order_by("pk")
        known = {state.pk: state for state in states.select_for_update(no_key=True)}
        mine = [new for new in beginnings if is_same(new.state, known.get(new.state.pk))]
        written = [(new.since, new.timing, new.state.pk) for new in mine]
        bulk.update(ScheduleState, ("decided_until", "timing"), ("schedule",), written)
    for new in beginnings:
        now = known.get(new.state.pk, new.state)
        new.state.decided_until, new.state.timing = now.decided_until, now.timing
    for new in mine:
        new.state.decided_until, new.state.timing = new.since, new.timing


def is_same(state: ScheduleState, now: ScheduleState | None) -> bool:
    return now is not None and (now.decided_until, now.timing) == (state.decided_until, state.timing)


def beginning(schedule: PeriodicTask, state: ScheduleState, *, live: bool) -> datetime:
    """`live`: this beat has been reading the table all along, so what is new to it changed within the last seconds."""
    if schedule.clocked_id:
        return schedule.clocked.clocked_time - timing.MICROSECOND
    if state.decided_until is None and schedule.last_run_at:
        return schedule.last_run_at  # a table that another scheduler has worked with
    known = [schedule.date_changed, timezone.now() - JUST_NOW if live else state.decided_until]
    return min(max(moment for moment in known if moment), timezone.now())


def decide(schedule: PeriodicTask, state: ScheduleState, now: datetime) -> Decision | None:
    """What to fire now; None when nothing is due."""
    keep = EACH_LIMIT if state.missed == Missed.EACH else 1
    count, first, last = timing.passed(schedule, state.decided_until or now, now, keep)
    if not last:
        return None
    fire = [due for due in last if state.missed != Missed.SKIP or now - due <= GRACE]
    missed = count - len(fire)
    return Decision(last[-1], fire, first if missed else None, missed)


def is_quiet(schedule: PeriodicTask) -> bool:
    """A system schedule every few seconds whose messages expire before the next: no history, nothing to repeat."""
    return bool(schedule.interval_id and schedule.expire_seconds and permitted.is_system(schedule.task))


@again()
def run_now(schedule: PeriodicTask, by: Any) -> Firing:
    """A firing beside the timetable, for whoever pressed the button. Raises BadSchedule.

    Written first like any other: what the broker does not take now, beat sends later.
    """
    verify(schedule)
    with transaction.atomic():
        if not references.stays(PeriodicTask, schedule.pk):
            raise BadSchedule(_("It was deleted meanwhile."))
        values = {"due_at": timezone.now(), "by": storable(name_of(by), 254)}
        firing = Firing.objects.create(schedule=schedule, schedule_name=schedule.name, **values)
        enabling.log(by, "schedule.run_now", schedule.pk, schedule.name)
        transaction.on_commit(lambda: publish.send([(schedule, firing)]))
    return firing
