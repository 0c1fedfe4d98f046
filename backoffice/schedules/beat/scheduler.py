"""A beat that survives bad rows, leads alone, and fires each due time once. CELERY_BEAT_SCHEDULER names it.

It keeps django-celery-beat's tables and replaces its loop: where the stock scheduler computes waiting times in memory
and saves whole rows, this one reads the table every two seconds, decides about due times in the database
(`schedules.fire`, `schedules.claim`), and publishes what was decided (`schedules.publish`).
"""

import logging
import time
from datetime import datetime
from typing import Any

from celery import Celery
from django.db import DatabaseError, IntegrityError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.schedulers import DatabaseScheduler

from backoffice.results.outage import is_outage

from .. import switch
from ..models import Firing
from . import claim, configured, fire, leading, overlap, publish, unsent
from .outage import Outage
from .timetable import Entry, Table, is_planned, together

logger = logging.getLogger(__name__)

REPEAT = 30.0  # seconds between two looks for lost messages
REREAD = 2.0  # seconds between two readings of the table
PAUSE = 1.0  # the longest sleep: standing by and reading the table go on
BROKER_PAUSE = 2.0  # after a message that was not taken
BATCH = 100  # schedules fired in one transaction
TRIMMED = 50  # histories cut to their length after a round


class SteadyScheduler(DatabaseScheduler):
    def __init__(self, app: Celery, *args: Any, **kwargs: Any) -> None:
        self.table = Table()
        self.leader = leading.Leader()
        self.outage = Outage()
        self.backlog = unsent.Backlog()
        self.fired: set[int] = set()
        self.in_round = False
        self.read_at = self.publish_at = self.repeated_at = float("-inf")
        super().__init__(app, *args, **kwargs)
        self.max_interval = PAUSE

    def setup_schedule(self) -> None:
        """Rows for CELERY_BEAT_SCHEDULE: the stock scheduler overwrites what staff changed at each start."""
        configured.settle(self.app)
        switch.restore_system()

    @property
    def schedule(self) -> dict[str, Entry]:
        return {entry.row.name: entry for entry in self.table.entries.values()}

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round; returns the seconds to sleep. When the database is away the next round tries again."""
        self.in_round = True
        try:
            if not connection.in_atomic_block:
                close_old_connections()
            return self.round()
        except (DatabaseError, InterfaceError) as error:
            logger.error("The database did not answer, trying again in %s s: %s", PAUSE, error)
            if not connection.in_atomic_block:
                connection.close()
            return PAUSE
        finally:
            self.in_round = False

    def round(self) -> float:
        self.leader.report()
        if not self.leader.lead():
            self.table = Table()
            return PAUSE
        if time.monotonic() - self.read_at >= REREAD or not self.table.is_read:
            self.table.read()
            self.read_at = time.monotonic()
        self.fire_together(self.table.system_due(timezone.now()))
        if self.can_publish():
            began = timezone.now()
            self.hold_if_failed(began, sent=self.backlog.send(self.leader.lead))
            self.repeat_lost()
        self.fire_due(timezone.now())
        self.trim()
        return self.until_next()

    def fire_due(self, now: datetime) -> None:
        """A batch at a time, each by the leader only, and before each what the machine itself is due."""
        due = self.table.due(now)
        for at in range(0, len(due), BATCH):
            if not self.leader.lead():
                return
            self.fire_together([*self.table.system_due(timezone.now()), *due[at : at + BATCH]])

    def trim(self) -> None:
        """A few histories after each round: what is due does not wait for it."""
        for _number in range(min(len(self.fired), TRIMMED)):
            Firing.objects.trim(self.fired.pop(), fire.KEEP)

    def repeat_lost(self) -> None:
        if time.monotonic() - self.repeated_at >= REPEAT:
            unsent.repeat_lost()
            self.repeated_at = time.monotonic()

    def until_next(self) -> float:
        next_due = self.table.next_due()
        wait = (next_due - timezone.now()).total_seconds() if next_due else PAUSE
        return min(max(wait, 0.01), PAUSE)

    def can_publish(self) -> bool:
        return time.monotonic() >= self.publish_at

    def hold_if_failed(self, began: datetime, *, sent: bool) -> None:
        self.outage.note(began, sent=sent)
        if not sent:
            self.publish_at = time.monotonic() + BROKER_PAUSE

    def send(self, calls: list[publish.Call]) -> None:
        if not calls:
            return
        if not self.can_publish():
            publish.note_held([firing for _row, firing in calls])
            return
        began = timezone.now()
        self.hold_if_failed(began, sent=publish.send(calls))

    def why_missed(self, due: datetime) -> str:
        if self.leader.was_away(due) or not self.outage.covers(due):
            return self.leader.why_missed(due)
        return self.outage.reason

    def fire_together(self, entries: list[Entry]) -> None:
        """Decide, write and send. Whatever is wrong with one row is that row's end, not beat's."""
        now = timezone.now()
        decided = {entry.row.pk: (entry, found) for entry in entries if (found := self.decide(entry, now))}
        counted = [entry.row for entry, _decision in decided.values() if not fire.is_quiet(entry.row)]
        busy = overlap.busy_of(counted) if counted else {}
        dues = {
            pk: claim.Due(
                entry.row, entry.state, decision, self.why_missed(decision.missed_from or now), busy.get(pk, "")
            )
            for pk, (entry, decision) in decided.items()
        }
        together(
            lambda some: self.fire([(entry, dues[entry.row.pk]) for entry in some]),
            [entry for entry, _decision in decided.values()],
            self.give_up,
        )

    def decide(self, entry: Entry, now: datetime) -> fire.Decision | None:
        try:
            decision = fire.decide(entry.row, entry.state, now)
            if decision is None:
                entry.plan()
        except Exception as error:
            if is_outage(error):
                raise
            self.give_up(entry, error)
            return None
        return decision

    def give_up(self, entry: Entry, error: Exception) -> None:
        if isinstance(error, IntegrityError):  # somebody's "Run now" of this very microsecond: look again
            self.read_at = float("-inf")
            return
        logger.error("Schedule %r could not be fired", entry.row.name, exc_info=error)
        switch.disable(entry.row.pk, switch.BEAT, _("It could not be fired: %(error)s") % {"error": error})
        self.table.drop(entry)

    def fire(self, dues: list[tuple[Entry, claim.Due]]) -> None:
        firings = claim.claim([due for _entry, due in dues])
        calls = [(entry.row, firing) for entry, _due in dues for firing in firings.get(entry.row.pk, ())]
        for entry, _due in dues:
            self.go_on(entry, fired=entry.row.pk in firings)
        self.send([(row, firing) for row, firing in calls if publish.is_new(firing)])

    def go_on(self, entry: Entry, *, fired: bool) -> None:
        """To its next due time."""
        if not fired:  # another beat was first, or somebody turned it off: read the table again
            self.read_at = float("-inf")
        elif not fire.is_quiet(entry.row):
            self.fired.add(entry.row.pk)
        if not fired or entry.row.one_off or entry.row.clocked_id or not is_planned(entry):
            self.table.drop(entry)

    def sync(self) -> None:
        """Nothing to write: each firing wrote its own columns."""

    def close(self) -> None:
        """Called by Celery's signal handler, and again on the way out. In the middle of a round the handler must not
        touch the database: the interrupted query holds the connection's lock, and waiting for it would be for ever."""
        if self.in_round:
            return
        try:
            self.leader.leave()
        finally:
            super().close()
