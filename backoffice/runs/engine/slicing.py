"""Cutting a run's items into chunks, a few ahead of the workers.

Only a window of chunks is out at a time. A finished one moves on to the run's next records while its message's time
lasts, and then begets another. So a run of a million does not stand in the way of a run of one, a flushed Redis loses
little, and the size of a chunk follows the time its records take.
"""

import math
from collections.abc import Sequence

from ..database import clock
from ..models import Chunk, Run, RunItem, State
from . import heartbeats

TARGET = 2.0  # seconds a chunk should take
BUSY = 0.05  # seconds below which a chunk costs more than it carries


def window() -> int:
    """Chunks that may be out per run: two for each process, so that none waits for its next."""
    return max(4, 2 * heartbeats.processes())


def size_for(left: int, limit: int, seconds_each: float | None = None) -> int:
    """Records per chunk: short enough to share out what is left, long enough to be worth a message."""
    share = math.ceil(left / window())
    if seconds_each is None:
        return max(1, min(limit, share))
    most = int(TARGET / seconds_each) if seconds_each else limit
    least = int(BUSY / seconds_each) if seconds_each else limit
    return max(1, min(limit, most, max(share, least)))


def cut(run: Run, size: int, count: int = 1) -> list[Chunk]:
    """Cut the next `count` chunks and move the run's cursor past them. Call with the run's row locked."""
    if count < 1:
        return []
    ids = list(next_items(run, size * count))
    return chunks_of(run, [ids[at : at + size] for at in range(0, len(ids), size)])


def next_items(run: Run, size: int) -> dict[int, int]:
    """The next waiting items (record id: retries), the run's cursor moved past them. Call with the run's row locked."""
    if run.sliced or run.cancelled_at:
        return {}
    waiting = RunItem.objects.of(run).filter(state=State.PENDING)
    if run.cursor is not None:
        waiting = waiting.filter(record_id__gt=run.cursor)
    items = dict(waiting.order_by("record_id").values_list("record_id", "retries")[:size])
    run.sliced = len(items) < size
    run.cursor = max(items, default=run.cursor)
    Run.objects.filter(pk=run.pk).update(cursor=run.cursor, sliced=run.sliced)
    return items


def chunks_of(run: Run, slices: Sequence[Sequence[int]]) -> list[Chunk]:
    """A chunk for each slice of record ids; a slice's range holds no other pending item."""
    now = clock.now()
    chunks = [
        Chunk(run=run, first=ids[0], last=ids[-1], size=len(ids), created_at=now, published_at=now) for ids in slices
    ]
    return Chunk.objects.bulk_create(chunks)


def singles(run: Run, ids: Sequence[int]) -> list[Chunk]:
    return chunks_of(run, [[record_id] for record_id in ids])


def contiguous(ids: Sequence[int], limit: int) -> list[list[int]]:
    """Sorted ids as runs of neighbours, none longer than `limit`."""
    slices: list[list[int]] = []
    for record_id in ids:
        if slices and slices[-1][-1] == record_id - 1 and len(slices[-1]) < limit:
            slices[-1].append(record_id)
        else:
            slices.append([record_id])
    return slices
