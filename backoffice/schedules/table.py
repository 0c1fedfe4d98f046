"""The rows of beat's table that can fire, read again and again; the others are turned off one by one."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.outage import is_outage

from . import fire, switch, timing
from .models import ScheduleState
from .verify import BadSchedule, verify

logger = logging.getLogger(__name__)
AHEAD = timedelta(minutes=5)  # clocked rows further away are not read: there may be thousands
FAR = datetime.max.replace(tzinfo=timezone.get_fixed_timezone(0))
RELATED = ("interval", "crontab", "solar", "clocked")


class Entry:
    """One row that can fire, with its state and its next due time."""

    def __init__(self, row: PeriodicTask, state: ScheduleState) -> None:
        self.row, self.state = row, state
        self.next_due = FAR

    def plan(self) -> None:
        after = self.state.decided_until or timezone.now()
        self.next_due = timing.next_due(self.row, after) or FAR


def contents(row: PeriodicTask) -> tuple[Any, ...]:
    """What decides whether a row is sound; the same contents are not verified again."""
    return (
        row.task, row.args, row.kwargs, row.headers, row.queue, row.exchange, row.routing_key, row.priority,
        row.expires, row.expire_seconds, timing.fingerprint(row),
    )  # fmt: skip


class Table:
    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.sound: dict[int, tuple[Any, ...]] = {}
        self.is_read = False

    def read(self) -> None:
        """Read all enabled rows. A row that cannot be read or verified is turned off alone, with the reason."""
        rows = readable_rows()
        states = states_of(rows)
        entries: dict[int, Entry] = {}
        for row in rows:
            if entry := self.load(row, states[row.pk]):
                entries[row.pk] = entry
        pause_what_is_off()
        self.entries, self.is_read = entries, True
        self.sound = {pk: known for pk, known in self.sound.items() if pk in entries}

    def load(self, row: PeriodicTask, state: ScheduleState) -> Entry | None:
        try:
            if self.sound.get(row.pk) != (known := contents_or_none(row)):
                verify(row)
                self.sound[row.pk] = known or ()
            if row.expires and row.expires <= timezone.now():
                raise BadSchedule(_("Its end has passed."))
            if not fire.is_settled(row, state):
                fire.settle(row, state, live=self.is_read)
            entry = Entry(row, state)
            entry.plan()
        except Exception as error:
            if is_outage(error):
                raise
            turn_off(row.pk, error)
            return None
        return entry

    def due(self, now: datetime) -> list[Entry]:
        return sorted((e for e in self.entries.values() if e.next_due <= now), key=lambda e: e.next_due)

    def next_due(self) -> datetime | None:
        found = min((entry.next_due for entry in self.entries.values()), default=FAR)
        return None if found == FAR else found

    def drop(self, entry: Entry) -> None:
        self.entries.pop(entry.row.pk, None)


def contents_or_none(row: PeriodicTask) -> tuple[Any, ...] | None:
    try:
        return contents(row)
    except Exception:  # verify says in words what is wrong with it
        return None


def rows_to_read() -> "QuerySet[PeriodicTask]":
    far = timezone.now() + AHEAD
    return PeriodicTask.objects.filter(enabled=True).exclude(clocked__clocked_time__gt=far).order_by("pk")


def readable_rows() -> list[PeriodicTask]:
    """All rows at once; where one holds what Django cannot load (a time zone that does not exist), each alone."""
    try:
        return list(rows_to_read().select_related(*RELATED))
    except Exception as error:
        if is_outage(error):
            raise
        ids = list(rows_to_read().values_list("pk", flat=True))
        return [row for pk in ids if (row := read_alone(pk))]


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
    if switch.disable(pk, switch.BEAT, reason):
        name = PeriodicTask.objects.filter(pk=pk).values_list("name", flat=True).first()
        logger.error("Schedule %r (%s) was turned off: %s", name, pk, reason)


def states_of(rows: list[PeriodicTask]) -> dict[int, ScheduleState]:
    known = {state.pk: state for state in ScheduleState.objects.filter(pk__in=[row.pk for row in rows])}
    missing = [ScheduleState(schedule=row) for row in rows if row.pk not in known]
    if missing:
        ScheduleState.objects.bulk_create(missing, ignore_conflicts=True)
        known |= {state.pk: state for state in ScheduleState.objects.filter(pk__in=[m.pk for m in missing])}
    return known


def pause_what_is_off() -> None:
    """Due times that pass while a schedule is off are not missed: its timing starts anew when it comes back."""
    is_off = Exists(PeriodicTask.objects.filter(pk=OuterRef("pk"), enabled=False))  # no join: asked again after a wait
    off = ScheduleState.objects.filter(is_off).exclude(timing="")
    if off.exists():  # a look is cheaper than an empty UPDATE, which takes SQLite's write lock
        off.update(timing="")
