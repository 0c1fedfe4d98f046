"""The periodic reconciler: starts what is due, rescues what is stuck, closes what is finished.

Every step is a conditional update, so it may run twice at once; each asks one indexed question of a small table, so
it costs a handful of queries when there is nothing to do.
"""

import logging
from datetime import timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from . import fleet, publish, release, slicing, verbs
from .ledger import close
from .models import Chunk, Run, RunItem, State, Worker
from .record_task import find
from .start import activate

logger = logging.getLogger(__name__)

OVERDUE = timedelta(seconds=10)  # after which an unclaimed chunk's message may be lost
BATCH = 1_000


def sweep() -> dict[str, int]:
    """Reconcile once. Returns what was done, by step."""
    steps = {
        "started": start_due,
        "cancelled": finish_cancelled,
        "rescued": rescue_expired,
        "retried": release_due_retries,
        "repaired": repair_stalled,
        "republished": republish_unclaimed,
        "forgotten": forget_dead_workers,
    }
    done = {name: step() for name, step in steps.items()}
    if any(done.values()):
        logger.info("Sweep: %s", ", ".join(f"{name} {number}" for name, number in done.items() if number))
    return done


def start_due() -> int:
    return sum(activate(pk) for pk in Run.objects.due().values_list("pk", flat=True))


def finish_cancelled() -> int:
    """Revoke what a cancelled run still has waiting, a bounded number of batches at a time."""
    runs = list(Run.objects.open().exclude(cancelled_at=None).select_related("task"))
    for run in runs:
        batches = 10
        while verbs.revoke(run) and batches:
            batches -= 1
    return len(runs)


def rescue_expired() -> int:
    """Chunks whose lease ran out. The item of a single is charged only if its worker is gone, not if it was slow."""
    expired = list(Chunk.objects.expired().values_list("pk", "worker"))
    for pk, worker in expired:
        release.lost(pk, charge=not fleet.is_alive(worker))
    return len(expired)


def release_due_retries() -> int:
    """Transient failures whose wait is over become pending again, with chunks of their own."""
    due = RunItem.objects.filter(state=State.RETRY, due_at__lte=timezone.now()).order_by("run_id", "record_id")
    rows = list(due.values_list("run_id", "record_id")[:BATCH])
    done = 0
    for run_id, group in groupby(rows, key=lambda row: row[0]):
        done += _release(run_id, [record_id for _run, record_id in group])
    return done


def _release(run_id: int, ids: list[int]) -> int:
    with transaction.atomic():
        run = Run.objects.select_for_update().select_related("task").get(pk=run_id)
        waiting = RunItem.objects.of(run).filter(record_id__in=ids, state=State.RETRY)
        ids = list(waiting.order_by("record_id").values_list("record_id", flat=True))
        if run.cancelled_at or not ids:
            return 0
        waiting.update(state=State.PENDING, due_at=None)
        slices = slicing.contiguous(ids, slicing.size_for(len(ids), find(run.task.name).chunk_size))
        publish.after_commit(run, slicing.chunks_of(run, slices))
    return len(ids)


def repair_stalled() -> int:
    """Open runs with nothing on its way: cut their next chunks, from the start again if need be, or close them."""
    on_its_way = Exists(Chunk.objects.filter(run=OuterRef("pk")))
    retrying = Exists(RunItem.objects.filter(run=OuterRef("pk"), state=State.RETRY, due_at__isnull=False))
    stalled = Run.objects.open().exclude(activated_at=None).filter(~on_its_way, ~retrying, cancelled_at=None)
    return sum(_repair(pk) for pk in stalled.values_list("pk", flat=True))


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
        publish.after_commit(run, chunks)
    return len(chunks)


def republish_unclaimed() -> int:
    """Chunks nobody claimed and whose message is not in the queue: it was lost, or never sent."""
    late = Q(published_at=None) | Q(published_at__lt=timezone.now() - OVERDUE)
    chunks = list(Chunk.objects.unclaimed().filter(late).select_related("run__task").order_by("run_id", "pk")[:BATCH])
    if not chunks:
        return 0
    try:
        if publish.queue_length() >= Chunk.objects.unclaimed().count():
            return 0
    except publish.UNREACHABLE as exc:
        logger.warning("The broker is away, %d chunks wait: %s", len(chunks), exc)
        return 0
    Chunk.objects.filter(pk__in=[chunk.pk for chunk in chunks]).update(published_at=timezone.now())
    for run, group in groupby(chunks, key=lambda chunk: chunk.run):
        if not publish.publish(run, list(group)):
            break
    return len(chunks)


def forget_dead_workers() -> int:
    old = Worker.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1))
    return old.delete()[0] if old.exists() else 0
