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

from .. import switch
from ..models import ScheduleState
from ..rules import permitted, timing
from ..rules.verify import BadSchedule, verify
from . import fire

logger = logging.getLogger(__name__)
AHEAD = timedelta(minutes=5)  # clocked rows further away are not read: there may be thousands
FAR = datetime.max.replace(tzinfo=timezone.get_fixed_timezone(0))
RELATED = ("interval", "crontab", "solar", "clocked")


class Entry:
    """One row that can fire, with its state and its next due time."""

    def __init__(self, row: PeriodicTask, state: ScheduleState) -> None:
        self.row, self.state = row, state
        self.next_due = FAR
        self.beginning: fire.Beginning | None = None
        self.is_system = permitted.is_system(row.task)

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
        found = [entry for row in rows if (entry := self.load(row, states[row.pk]))]
        begin([entry for entry in found if entry.beginning])
        entries = {entry.row.pk: entry for entry in found if is_planned(entry)}
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
            entry = Entry(row, state)
            if not fire.is_settled(row, state):
                since = fire.beginning(row, state, live=self.is_read)
                entry.beginning = fire.Beginning(state, since, timing.fingerprint(row))
        except Exception as error:
            if is_outage(error):
                raise
            turn_off(row.pk, error)
            return None
        return entry

    def due(self, now: datetime) -> list[Entry]:
        """The machine's own first: what is stuck must not wait for what staff have planned."""
        return sorted(
            (e for e in self.entries.values() if e.next_due <= now), key=lambda e: (not e.is_system, e.next_due)
        )

    def system_due(self, now: datetime) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.is_system and entry.next_due <= now]

    def next_due(self) -> datetime | None:
        found = min((entry.next_due for entry in self.entries.values()), default=FAR)
        return None if found == FAR else found

    def drop(self, entry: Entry) -> None:
        self.entries.pop(entry.row.pk, None)


def begin(entries: Sequence[Entry]) -> None:
    together(
        lambda some: fire.begin([entry.beginning for entry in some if entry.beginning]),
        entries,
        lambda entry, error: turn_off(entry.row.pk, error),
    )


def is_planned(entry: Entry) -> bool:
    try:
        entry.plan()
    except Exception as error:
        if is_outage(error):
            raise
        turn_off(entry.row.pk, error)
        return False
    return True


def together(
    write: Callable[[Sequence[Entry]], None], entries: Sequence[Entry], refused: Callable[[Entry, Exception], object]
) -> None:
    """All at once; where something is refused, one by one, so that it is found whose it is."""
    try:
        if entries:
            write(entries)
    except Exception as error:
        if is_outage(error):
            raise
        if len(entries) == 1:
            refused(entries[0], error)
        else:
            for entry in entries:
                together(write, [entry], refused)


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
    off = ScheduleState.objects.filter(schedule__enabled=False).exclude(timing="")
    if not off.exists():  # a look is cheaper than a transaction, which takes SQLite's write lock
        return
    with transaction.atomic():
        rows = PeriodicTask.objects.filter(enabled=False, state__in=off).order_by("pk")
        still = list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
        ScheduleState.objects.filter(pk__in=still).update(timing="")
