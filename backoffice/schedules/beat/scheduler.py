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

from .. import enabling
from ..models import Firing
from . import claim, configured, fire, leading, overlap, publish, unsent
from .outage import Outage
from .timetable import ActiveSchedule, Timetable, has_next_due, together

logger = logging.getLogger(__name__)

REPEAT = 30.0  # seconds between two looks for lost messages
REREAD = 2.0  # seconds between two readings of the table
PAUSE = 1.0  # the longest sleep: standing by and reading the table go on
BROKER_PAUSE = 2.0  # after a message that was not taken
BATCH = 100  # schedules fired in one transaction
TRIMMED = 50  # histories cut to their length after a round


class SteadyScheduler(DatabaseScheduler):
    def __init__(self, app: Celery, *args: Any, **kwargs: Any) -> None:
        self.table = Timetable()
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
        configured.apply(self.app)
        enabling.restore_system()

    @property
    def schedule(self) -> dict[str, ActiveSchedule]:
        return {active.schedule.name: active for active in self.table.active_schedules.values()}

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
            self.table = Timetable()
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
            publish.note_untried([firing for _schedule, firing in calls])
            return
        began = timezone.now()
        self.hold_if_failed(began, sent=publish.send(calls))

    def why_missed(self, due: datetime) -> str:
        if self.leader.was_away(due) or not self.outage.covers(due):
            return self.leader.why_missed(due)
        return self.outage.reason

    def fire_together(self, due: list[ActiveSchedule]) -> None:
        """Decide, write and send. Whatever is wrong with one row is that row's end, not beat's."""
        now = timezone.now()
        decided = {active.schedule.pk: (active, found) for active in due if (found := self.decide(active, now))}
        counted = [active.schedule for active, _decision in decided.values() if not fire.is_quiet(active.schedule)]
        busy = overlap.busy_of(counted) if counted else {}
        dues = {
            pk: claim.Due(
                active.schedule, active.state, decision, self.why_missed(decision.missed_from or now), busy.get(pk, "")
            )
            for pk, (active, decision) in decided.items()
        }
        together(
            lambda some: self.fire([(active, dues[active.schedule.pk]) for active in some]),
            [active for active, _decision in decided.values()],
            self.give_up,
        )

    def decide(self, active: ActiveSchedule, now: datetime) -> fire.Decision | None:
        try:
            decision = fire.decide(active.schedule, active.state, now)
            if decision is None:
                active.find_next_due()
        except Exception as error:
            if is_outage(error):
                raise
            self.give_up(active, error)
            return None
        return decision

    def give_up(self, active: ActiveSchedule, error: Exception) -> None:
        if isinstance(error, IntegrityError):  # somebody's "Run now" of this very microsecond: look again
            self.read_at = float("-inf")
            return
        logger.error("Schedule %r could not be fired", active.schedule.name, exc_info=error)
        enabling.disable(active.schedule.pk, enabling.BEAT, _("It could not be fired: %(error)s") % {"error": error})
        self.table.drop(active)

    def fire(self, dues: list[tuple[ActiveSchedule, claim.Due]]) -> None:
        firings = claim.claim([due for _active, due in dues])
        calls = [(active.schedule, firing) for active, _due in dues for firing in firings.get(active.schedule.pk, ())]
        for active, _due in dues:
            self.go_on(active, fired=active.schedule.pk in firings)
        self.send([(schedule, firing) for schedule, firing in calls if publish.is_new(firing)])

    def go_on(self, active: ActiveSchedule, *, fired: bool) -> None:
        """To its next due time."""
        if not fired:  # another beat was first, or somebody turned it off: read the table again
            self.read_at = float("-inf")
        elif not fire.is_quiet(active.schedule):
            self.fired.add(active.schedule.pk)
        if not fired or active.schedule.one_off or active.schedule.clocked_id or not has_next_due(active):
            self.table.drop(active)

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
