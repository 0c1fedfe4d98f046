"""The periodic reconciler: starts what is due, rescues what is stuck, closes what is finished.

Every step is a conditional update, so it may run twice at once; each asks one indexed question of a small table, so
it costs a handful of queries when there is nothing to do.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from backoffice.results import spool

from . import operations
from .database import clock
from .database.again import again, is_away
from .duplicates.look_over import look_over
from .engine import broker, events, give_back, heartbeats, slicing
from .engine.claims import lease
from .engine.ledger import close, drop_chunks
from .models import Chunk, Run, RunItem, State, Worker
from .registry import CLAIMS, find
from .start import activate

logger = logging.getLogger(__name__)

OVERDUE = timedelta(seconds=10)  # after which an unclaimed chunk's message may be lost
SURELY_LOST = timedelta(minutes=5)  # and is sent again however long the queue is
BATCH = 1_000


def sweep() -> dict[str, int]:
    """Reconcile once. Returns what was done, by step. An error in one is raised when the others have had their turn."""
    heartbeats.report_sweep()
    steps: dict[str, Callable[[], int]] = {
        "started": start_due,
        "cancelled": finish_cancelled,
        "rescued": rescue_expired,
        "retried": requeue_due_retries,
        "repaired": repair_stalled,
        "republished": republish_unclaimed,
        "told": tell_due,
        "delivered": spool.deliver,
        "forgotten": forget_dead_workers,
        "compared": look_over,
    }
    done: dict[str, int] = {}
    errors: list[Exception] = []
    for name, step in steps.items():
        try:
            done[name] = again()(step)()  # each may run twice
        except Exception as exc:
            if is_away(exc):
                raise  # each step would wait for it
            logger.exception("The sweep's step %r failed.", name)
            errors.append(exc)
    if any(done.values()):
        logger.info("Sweep: %s", ", ".join(f"{name} {number}" for name, number in done.items() if number))
    if errors:
        raise errors[0]
    return done


def _each(step: Callable[[Any], int], keys: Iterable[Any]) -> int:
    """One run that cannot go on holds no other up. An error is raised when the others have had their turn."""
    done, errors = 0, []
    for key in keys:
        try:
            done += step(key)
        except LookupError as exc:  # its record task is not there
            logger.error("Run %s waits: %s", key, exc)
        except Exception as exc:
            if is_away(exc):
                raise
            logger.exception("Run %s waits.", key)
            errors.append(exc)
    if errors:
        raise errors[0]
    return done


def start_due() -> int:
    return _each(activate, list(Run.objects.due().values_list("pk", flat=True)))


def finish_cancelled() -> int:
    """Revoke what a cancelled run still has waiting, a bounded number of batches at a time."""
    return _each(_revoke, Run.objects.open().exclude(cancelled_at=None).select_related("task"))


def _revoke(run: Run) -> int:
    batches = 10
    while operations.revoke(run) and batches:
        batches -= 1
    return 1


def rescue_expired() -> int:
    """Chunks whose lease ran out. The item of a single is charged only if its worker is gone, not if it was slow.

    After a pause of the database, of Redis or of the whole machine no worker has reported, though all may live: then
    singles wait for a moment. A lease from before the clock was set back begins anew: its holder may live.
    """
    done = 0
    for pk, worker, size in list(Chunk.objects.to_judge().values_list("pk", "worker", "size")):
        if Chunk.objects.outlasting().filter(pk=pk).update(lease_until=lease()):
            continue
        gone = not heartbeats.is_alive(worker)
        if gone and size == 1 and not heartbeats.is_watched():
            continue
        give_back.lost(pk, charge=gone, expired=True)
        done += 1
    return done


def requeue_due_retries() -> int:
    """Transient failures whose wait is over become pending again, with chunks of their own."""
    due = RunItem.objects.filter(state=State.RETRY, due_at__lte=timezone.now()).order_by("run_id", "record_id")
    rows = list(due.values_list("run_id", "record_id")[:BATCH])
    by_run = {run_id: [row[1] for row in group] for run_id, group in groupby(rows, key=lambda row: row[0])}
    return _each(lambda run_id: _release(run_id, by_run[run_id]), by_run)


@again()
def _release(run_id: int, ids: list[int]) -> int:
    with transaction.atomic():
        waiting = RunItem.objects.filter(run_id=run_id, record_id__in=ids, state=State.RETRY)
        items = list(waiting.order_by("record_id").select_for_update())
        run = Run.objects.select_related("task").get(pk=run_id)
        if run.cancelled_at or not items:
            return 0
        ids = [item.record_id for item in items if item.attempts < CLAIMS]
        RunItem.objects.of(run).filter(record_id__in=ids).update(state=State.PENDING, due_at=None)
        give_back.end_worn(run, items)
        slices = slicing.contiguous(ids, slicing.size_for(len(ids), find(run.task.name).chunk_size))
        broker.after_commit(run, slicing.chunks_of(run, slices))
    return len(items)


def repair_stalled() -> int:
    """Open runs with nothing on its way: cut their next chunks, from the start again if need be, or close them."""
    on_its_way = Exists(Chunk.objects.filter(run=OuterRef("pk")))
    # All that wait, who are few, and not for each run: there SQLite reads all of its items.
    retrying = RunItem.objects.filter(state=State.RETRY, due_at__isnull=False).values("run_id")
    stalled = Run.objects.open().exclude(activated_at=None).exclude(pk__in=retrying)
    stalled = stalled.filter(~on_its_way, cancelled_at=None)
    return _each(_repair, list(stalled.values_list("pk", flat=True)))


@again()
def _repair(pk: int) -> int:
    with transaction.atomic():
        run = Run.objects.select_for_update().select_related("task").get(pk=pk)
        if run.finished_at or run.chunks.exists():
            return 0
        if run.open_items <= 0:
            close(run)
            return 1
        task = find(run.task.name)
        size = slicing.size_for(run.open_items, task.chunk_size)
        chunks = slicing.cut(run, size, slicing.window())
        if not chunks:
            run.cursor, run.sliced = None, False
            chunks = slicing.cut(run, size, slicing.window())
        broker.after_commit(run, chunks)
    return len(chunks)


def republish_unclaimed() -> int:
    """Chunks nobody claimed and whose message is not in the queue: it was lost, or never sent."""
    chunks = _to_send_again()
    if not chunks:
        return 0
    try:
        chunks = _not_queued(chunks)
    except broker.UNREACHABLE as exc:
        logger.warning("The broker is away, %d chunks wait: %s", len(chunks), exc)
        return 0
    sent = 0
    for run, group in groupby(chunks, key=lambda chunk: chunk.run):
        ours = list(group)
        Chunk.objects.filter(pk__in=[chunk.pk for chunk in ours]).update(published_at=clock.now())
        sent += len(ours) if broker.publish(run, ours) else 0
        if run.waits_for_broker:
            break
    return sent


def _to_send_again() -> list[Chunk]:
    """Those that are late, the never sent first. What is left of a run that ended is not sent, but dropped."""
    late = Chunk.objects.unclaimed().filter(Q(published_at=None) | _is_before(OVERDUE))
    never_first = F("published_at").asc(nulls_first=True)
    found = list(late.select_related("run__task").order_by(never_first, "run_id", "pk")[:BATCH])
    for run_id in {chunk.run_id for chunk in found if chunk.run.is_finished}:
        drop_chunks(run_id)
    return [chunk for chunk in found if not chunk.run.is_finished]


def _not_queued(chunks: list[Chunk]) -> list[Chunk]:
    """Without those whose message may be waiting among others. One sent twice finds its chunk claimed, or gone."""
    sent = Chunk.objects.unclaimed().exclude(published_at=None)
    if broker.queue_length() < sent.count():
        return chunks
    lost = set(sent.filter(_is_before(SURELY_LOST)).values_list("pk", flat=True))
    return [chunk for chunk in chunks if chunk.published_at is None or chunk.pk in lost]


def _is_before(wait: timedelta) -> Q:
    """Published so long ago, or before the clock was set back."""
    return Q(published_at__lt=clock.now(-wait)) | clock.is_far("published_at", OVERDUE)


def tell_due() -> int:
    """Events, each by a message of its own: what is done about one may take its time."""
    return sum(broker.ask_to_tell(event_id) for event_id in events.take_due(BATCH))


def forget_dead_workers() -> int:
    old = Worker.objects.filter(seen_at__lt=clock.now(-timedelta(days=1)))
    return old.delete()[0] if old.exists() else 0
