"""The rows of beat's table that can fire, read again and again; the others are turned off one by one."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.outage import is_outage

from .. import enabling
from ..models import ScheduleState
from ..rules import permitted, timing
from ..rules.verify import BadSchedule, verify
from . import fire

logger = logging.getLogger(__name__)
AHEAD = timedelta(minutes=5)  # clocked rows further away are not read: there may be thousands
FAR = datetime.max.replace(tzinfo=timezone.get_fixed_timezone(0))
RELATED = ("interval", "crontab", "solar", "clocked")


class ActiveSchedule:
    """A schedule that can fire, with its state and its next due time."""

    def __init__(self, schedule: PeriodicTask, state: ScheduleState) -> None:
        self.schedule, self.state = schedule, state
        self.next_due = FAR
        self.beginning: fire.Beginning | None = None
        self.is_system = permitted.is_system(schedule.task)

    def find_next_due(self) -> None:
        after = self.state.decided_until or timezone.now()
        self.next_due = timing.next_due(self.schedule, after) or FAR


def contents(schedule: PeriodicTask) -> tuple[Any, ...]:
    """What decides whether a schedule is sound; the same contents are not verified again."""
    return (
        schedule.task, schedule.args, schedule.kwargs, schedule.headers, schedule.queue, schedule.exchange,
        schedule.routing_key, schedule.priority, schedule.expires, schedule.expire_seconds,
        timing.fingerprint(schedule),
    )  # fmt: skip


class Timetable:
    def __init__(self) -> None:
        self.active_schedules: dict[int, ActiveSchedule] = {}
        self.sound: dict[int, tuple[Any, ...]] = {}
        self.is_read = False

    def read(self) -> None:
        """Read all enabled rows. A row that cannot be read or verified is turned off alone, with the reason."""
        schedules = readable_schedules()
        states = states_of(schedules)
        found = [active for schedule in schedules if (active := self.load(schedule, states[schedule.pk]))]
        begin([active for active in found if active.beginning])
        known = {active.schedule.pk: active for active in found if has_next_due(active)}
        pause_what_is_off()
        self.active_schedules, self.is_read = known, True
        self.sound = {pk: sound for pk, sound in self.sound.items() if pk in known}

    def load(self, schedule: PeriodicTask, state: ScheduleState) -> ActiveSchedule | None:
        try:
            if self.sound.get(schedule.pk) != (known := contents_or_none(schedule)):
                verify(schedule)
                self.sound[schedule.pk] = known or ()
            if schedule.expires and schedule.expires <= timezone.now():
                raise BadSchedule(_("Its end has passed."))
            active = ActiveSchedule(schedule, state)
            if not fire.still_holds(schedule, state):
                since = fire.beginning(schedule, state, live=self.is_read)
                active.beginning = fire.Beginning(state, since, timing.fingerprint(schedule))
        except Exception as error:
            if is_outage(error):
                raise
            turn_off(schedule.pk, error)
            return None
        return active

    def due(self, now: datetime) -> list[ActiveSchedule]:
        """The machine's own first: what is stuck must not wait for what staff have planned."""
        return sorted(
            (e for e in self.active_schedules.values() if e.next_due <= now),
            key=lambda e: (not e.is_system, e.next_due),
        )

    def system_due(self, now: datetime) -> list[ActiveSchedule]:
        return [active for active in self.active_schedules.values() if active.is_system and active.next_due <= now]

    def next_due(self) -> datetime | None:
        found = min((active.next_due for active in self.active_schedules.values()), default=FAR)
        return None if found == FAR else found

    def drop(self, active: ActiveSchedule) -> None:
        self.active_schedules.pop(active.schedule.pk, None)


def begin(active_schedules: Sequence[ActiveSchedule]) -> None:
    together(
        lambda some: fire.begin([active.beginning for active in some if active.beginning]),
        active_schedules,
        lambda active, error: turn_off(active.schedule.pk, error),
    )


def has_next_due(active: ActiveSchedule) -> bool:
    try:
        active.find_next_due()
    except Exception as error:
        if is_outage(error):
            raise
        turn_off(active.schedule.pk, error)
        return False
    return True


def together(
    write: Callable[[Sequence[ActiveSchedule]], None],
    active_schedules: Sequence[ActiveSchedule],
    refused: Callable[[ActiveSchedule, Exception], object],
) -> None:
    """All at once; where something is refused, one by one, so that it is found whose it is."""
    try:
        if active_schedules:
            write(active_schedules)
    except Exception as error:
        if is_outage(error):
            raise
        if len(active_schedules) == 1:
            refused(active_schedules[0], error)
        else:
            for active in active_schedules:
                together(write, [active], refused)


def contents_or_none(schedule: PeriodicTask) -> tuple[Any, ...] | None:
    try:
        return contents(schedule)
    except Exception:  # verify says in words what is wrong with it
        return None


def schedules_to_read() -> "QuerySet[PeriodicTask]":
    far = timezone.now() + AHEAD
    return PeriodicTask.objects.filter(enabled=True).exclude(clocked__clocked_time__gt=far).order_by("pk")


def readable_schedules() -> list[PeriodicTask]:
    """All rows at once; where one holds what Django cannot load (a time zone that does not exist), each alone."""
    try:
        return list(schedules_to_read().select_related(*RELATED))
    except Exception as error:
        if is_outage(error):
            raise
        ids = list(schedules_to_read().values_list("pk", flat=True))
        return [schedule for pk in ids if (schedule := read_alone(pk))]


def read_alone(pk: int) -> PeriodicTask | None:
    try:
        return PeriodicTask.objects.select_related(*RELATED).filter(pk=pk).first()
    except Exception as error:
        if is_outage(error):
            raise
        turn_off(pk, error)
        return None


def turn_off(pk: int, error: Exception) -> None:
    reason = str(error) if isinstance(error, BadSchedule) else f"{type(error).__name__}: {error}"
    if enabling.disable(pk, enabling.BEAT, reason):
        name = PeriodicTask.objects.filter(pk=pk).values_list("name", flat=True).first()
        logger.error("Schedule %r (%s) was turned off: %s", name, pk, reason)


def states_of(schedules: list[PeriodicTask]) -> dict[int, ScheduleState]:
    known = {state.pk: state for state in ScheduleState.objects.filter(pk__in=[schedule.pk for schedule in schedules])}
    missing = [ScheduleState(schedule=schedule) for schedule in schedules if schedule.pk not in known]
    if missing:
        ScheduleState.objects.bulk_create(missing, ignore_conflicts=True)
        known |= {state.pk: state for state in ScheduleState.objects.filter(pk__in=[m.pk for m in missing])}
    return known


def pause_what_is_off() -> None:
    """Due times that pass while a schedule is off are not missed: its timing starts anew when it comes back."""
    off = ScheduleState.objects.filter(schedule__enabled=False).exclude(timing="")
    if not off.exists():  # a look is cheaper than a transaction, which takes SQLite's write lock
        return
    with transaction.atomic():
        schedules = PeriodicTask.objects.filter(enabled=False, state__in=off).order_by("pk")
        still = list(schedules.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
        ScheduleState.objects.filter(pk__in=still).update(timing="")
