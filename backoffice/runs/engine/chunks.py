"""A worker's way through one chunk: claim, work, write, move on."""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta
from random import uniform

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from backoffice.results import outage
from backoffice.results.values.text import storable

from ..change import keep
from ..change.restore import Moved
from ..database.again import again
from ..models import Chunk, Outcome, Processable, State
from ..registry import KEPT, RecordTask
from . import asking, broker, give_back, identity, inputs, ledger, slicing, wording
from .claims import claim, claim_items, died_with_child, lease
from .ledger import Lost, Transition

logger = logging.getLogger(__name__)

FLUSH = 1.0  # seconds between writes of a slow chunk: what staff see as progress, and what a death costs
STINT = 0.5  # seconds for which a message goes from chunk to chunk; after that others have their turn
BUDGET = 8.0  # seconds after which a chunk gives back what it has not begun
PASSES = 5  # times a record that is edited meanwhile is read anew before it goes to the end of the queue


def work(task: RecordTask, chunk_id: int) -> None:
    """Work through a chunk. A duplicate message finds it claimed, or gone, and does nothing."""
    claimed = claim(chunk_id)
    if claimed is None:
        if died_with_child(chunk_id):
            give_back.lost(chunk_id)
        else:
            logger.info("Chunk %s is claimed already or done: nothing to do.", chunk_id)
        return
    chunk, items = claimed
    shift = Shift(task, chunk, items)
    try:
        shift.take_turn()
    except Lost as exc:
        logger.warning("Chunk %s was taken over while it was worked on: %s", chunk_id, exc)


class Shift:
    """One worker process on one chunk, which moves along its run."""

    def __init__(self, task: RecordTask, chunk: Chunk, items: dict[int, int]) -> None:
        self.declared = self.task = task
        self.chunk, self.run = chunk, chunk.run
        self.open = items
        self.started = chunk.claimed_at
        self.worker = identity.node_name()
        self.done: list[Transition] = []
        self.read: dict[int, inputs.Values | None] = {}
        self.changed: set[int] = set()  # of those open: worked on, and not as they were read when it was to be written
        self.begun = self.flushed = time.monotonic()
        self.worked = self.passes = 0
        self.within = connection.in_atomic_block  # a test's transaction: its connection is not ours to close
        # A time limit is meant for a record: a chunk ends well before it.
        limits = [limit for limit in (task.soft_time_limit, task.time_limit) if limit]
        self.budget = min([BUDGET, *(limit / 2 for limit in limits)])

    def take_turn(self) -> None:
        """Raises what an outage raises: the main process or the sweep then gives the chunk back."""
        try:
            self.run_through()
        except SoftTimeLimitExceeded:
            self.stop_at_soft_limit()
        except Lost:
            raise
        except Exception as exc:
            if outage.is_outage(exc) and len(self.open) > 1:
                raise
            self.refuse(exc)

    def run_through(self) -> None:
        while True:
            self.passes += 1
            if self.passes > PASSES:
                self._postpone(self.open)
            elif not self._pass():
                return self.give_back()
            if self.done:
                self.write()
            if not self.open:
                return None

    def _pass(self) -> bool:
        """Work on what is open, once. False when the time is over, or the run is cancelled."""
        todo = sorted(self.open)
        if (asked := asking.of_run(self.declared, self.run, todo)) is None:
            return False
        self.task, self.body = asked
        records = {} if self.task.writes_elsewhere else self.task.records.in_bulk(todo)
        for record_id in todo:
            if self._is_over():
                return False
            if self.task.writes_elsewhere:
                self.write(whole=record_id)
            else:
                self.done.append(self._attempt(record_id, records.get(record_id)))
            self.worked += 1
            if time.monotonic() - self.flushed > FLUSH and len(self.done) < len(self.open):
                self.write(ends=False)
        return True

    def _is_over(self) -> bool:
        # A chunk that was claimed does something, however long the claim took: else it comes back for ever.
        if self.worked and time.monotonic() - self.begun > self.budget:
            return True
        return self.run.cancelled_at is not None

    def _postpone(self, ids: Iterable[int]) -> None:
        """Records changed each time they were worked on wait as after a transient error, and fail in the end."""
        for record_id in sorted(ids):
            self.read.pop(record_id)  # this is true of any input
            transition = Transition(record_id, State.RETRY, retries=self.open[record_id], started_at=self.started)
            times = f"Record {record_id} was changed each time it was processed."
            self.done.append(self._failed(transition, inputs.Edited(times)))
        self.changed = set()

    def _attempt(self, record_id: int, record: Processable | None) -> Transition:
        transition = Transition(record_id, State.SUCCESS, retries=self.open[record_id], started_at=self.started)
        self.read[record_id] = None if record is None else inputs.of(self.task, record)
        if record is None:
            return wording.not_found(transition, self.task.missing(record_id), self.run)
        try:
            outcome = self.body(record) or Outcome("done")
            transition.outcome = storable(str(outcome), KEPT)
        except (SoftTimeLimitExceeded, SystemExit):
            raise
        except Moved as exc:
            return wording.left_alone(transition, exc)
        except BaseException as exc:  # what a cancelled coroutine raises is no Exception
            if connection.needs_rollback:
                raise  # nothing more can be said in this transaction
            return self._failed(transition, exc)
        transition.result = self.task.answer(record_id, outcome)
        transition.values = self.task.written(record)
        return transition

    def _failed(self, transition: Transition, exc: BaseException) -> Transition:
        wording.tell(transition, exc)
        transition.state = State.FAILURE
        if (isinstance(exc, inputs.Edited) or self.task.passes(exc)) and transition.retries < self.task.most_retries:
            wait = self.task.backoff(transition.retries) * uniform(0.8, 1.2)  # noqa: S311 - spreads the herd
            transition.state, transition.retries = State.RETRY, transition.retries + 1
            transition.due_at = timezone.now() + timedelta(seconds=wait)
        return transition

    def write(self, *, ends: bool = True, move_on: bool = True, whole: int | None = None) -> None:
        """Commit what is done: records, items, TaskResult, counts. When nothing is left the chunk moves on, or ends.

        With a `whole` record its work is done in the same transaction.
        """
        with identity.soft_limit_held_back():
            ledger.add_rows(self.run, self.done, self.worker)  # not while others wait for the database
            transitions, following = self._commit(ends, move_on, whole)
            for transition in transitions:
                del self.open[transition.record_id]
            self.done, self.flushed = [], time.monotonic()
        if following:
            self.open, self.read, self.passes, self.started = following, {}, 0, self.chunk.claimed_at

    @again()
    def _commit(self, ends: bool, move_on: bool, whole: int | None) -> tuple[list[Transition], dict[int, int]]:
        """Returns what was written, and the items that the chunk moved on to."""
        with transaction.atomic():
            if whole is not None:
                self._work_inside(whole)
            self._hold()
            (transitions, before), following = self._still_true(), {}
            if whole is not None and not transitions:
                transaction.set_rollback(True)
                return [], {}
            good = [t.values for t in transitions if t.state == State.SUCCESS]
            keep.save(self.task, good, before, self.run)
            ledger.write(self.run, transitions, self.worker, owner=self.chunk.pk)
            if ends and len(transitions) == len(self.open):
                following = self._move_on() if move_on else {}
                if not following:
                    Chunk.objects.filter(pk=self.chunk.pk)._raw_delete("default")
                    broker.after_commit(self.run, self._next())
        return transitions, following

    def _work_inside(self, record_id: int) -> None:
        """Before the chunk is locked: however long it takes, its lease can be renewed."""
        with identity.soft_limit_let_through():
            done = self._attempt(record_id, self.task.records.filter(pk=record_id).first())
        self.done = [done]

    def refuse(self, exc: Exception) -> None:
        """The write itself was refused, say for a value its column does not take. Found by going one by one.

        An outage that meets a record alone is that record's error, to be tried again, if this can be written.
        """
        if not self.within:
            connection.close_if_unusable_or_obsolete()
        if len(self.open) > 1:
            logger.warning("Chunk %s could not be written, its records come back one by one: %r", self.chunk.pk, exc)
            give_back.lost(self.chunk.pk, charge=False)
            return
        logger.warning("Record %s of run %s could not be written.", [*self.open], self.run.pk, exc_info=exc)
        try:
            self._write_refused(exc)
        except Exception as another:
            if isinstance(another, (Lost, SoftTimeLimitExceeded)) or outage.is_outage(another):
                raise
            self._write_refused(None)

    def _write_refused(self, exc: Exception | None) -> None:
        """The one record's end, or its wait; without an error nothing foreign is in it."""
        for record_id, retries in self.open.items():
            transition = Transition(record_id, State.FAILURE, started_at=self.started, retries=retries)
            self.done = [transition]
            if exc is None:
                wording.tell_nothing(transition)
                self.read.pop(record_id, None)  # what it read may be what cannot be asked for
            elif outage.is_outage(exc) and outage.by_driver(exc):
                self._failed(transition, exc)
            elif self.run.is_undo and isinstance(exc, DatabaseError):
                wording.refused(transition, exc)
            else:
                wording.tell(transition, exc)
        self.write(move_on=False)  # nobody goes on with it here
        if self.open:
            self.give_back()

    def _hold(self) -> None:
        """The owner token's guard: renew the lease, or find that the chunk is no longer ours."""
        if not Chunk.objects.filter(pk=self.chunk.pk).update(lease_until=lease()):
            raise Lost(f"chunk {self.chunk.pk} is gone")

    def _still_true(self) -> tuple[list[Transition], keep.Before]:
        """The transitions whose record is as it was read, failures too; the rest stay open and are worked on anew.

        And what is in the fields that they overwrite.
        """
        asked = [transition.record_id for transition in self.done if transition.record_id in self.read]
        changed, before = inputs.changed(self.task, self.read, asked) if asked else (set(), {})
        if self.changed or changed:
            self.changed = self.changed.difference(asked) | changed
        return [t for t in self.done if t.record_id not in changed] if changed else self.done, before

    def _move_on(self) -> dict[int, int]:
        """Claim the run's next records in the same transaction: no message, no claim of its own, no waiting.

        The run's row is locked before these items, against the order. Nobody else wants both of these: a run that is
        cancelled is not moved on in, and others claim what lies before the cursor.
        """
        if time.monotonic() - self.begun > min(STINT, self.budget / 2) or not self._may_go_on(own=1):
            return {}
        items = slicing.next_items(self.run, self._size())
        if not items:
            return {}
        chunk, now = self.chunk, timezone.now()
        chunk.first, chunk.last, chunk.size, chunk.claimed_at = min(items), max(items), len(items), now
        Chunk.objects.filter(pk=chunk.pk).update(first=chunk.first, last=chunk.last, size=chunk.size, claimed_at=now)
        return claim_items(chunk, items)

    def _next(self) -> list[Chunk]:
        return slicing.cut(self.run, self._size()) if self._may_go_on() else []

    def _may_go_on(self, own: int = 0) -> bool:
        if self.run.sliced or self.run.cancelled_at:
            return False
        return self.run.chunks.count() < slicing.window() + own

    def _size(self) -> int:
        return slicing.size_for(self.run.open_items, self.task.chunk_size, self._each())

    def _each(self) -> float | None:
        return (time.monotonic() - self.begun) / self.worked if self.worked else None

    def give_back(self) -> None:
        """Write what is done and give the rest back, in chunks that fit the time its records take."""
        if self.done:
            self.write(ends=False)
        if self.changed and not self.run.cancelled_at:
            self._postpone(self.changed)  # given back, they would come again uncounted
            self.write(ends=False)
        size = slicing.size_for(len(self.open) or 1, self.task.chunk_size, self._each())
        give_back.unworked(self.chunk, size)
        if self.run.cancelled_at:
            broker.sweep_soon()  # revokes what was given back

    def stop_at_soft_limit(self) -> None:
        """The soft time limit: keep what is finished. The record it fell upon is charged only if it was alone."""
        logger.warning("Soft time limit in chunk %s: %d records kept.", self.chunk.pk, len(self.done))
        if self.done:
            self.write(ends=False)
        # Between two slices nothing of the next one has begun.
        give_back.lost(self.chunk.pk, reason="Soft time limit exceeded", charge=bool(self.open))
