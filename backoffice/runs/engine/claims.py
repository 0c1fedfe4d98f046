"""How a worker process makes a chunk and its pending items its own."""

import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from ..database import clock
from ..database.again import again
from ..models import Chunk, Run, RunItem, State
from . import identity

MOST = 32_767  # what the column of attempts takes


def lease() -> Any:
    return clock.now(timedelta(seconds=settings.RUNS_LEASE_SECONDS))


@again()
def claim(chunk_id: int) -> tuple[Chunk, dict[int, int]] | None:
    """Claim a chunk and its pending items (record id: retries), or nothing. A cancelled run is not claimed from."""
    with transaction.atomic():
        now = timezone.now()
        # Compare and swap: of any number of deliveries one sees NULL. Of the chunk's own columns only: a condition on
        # the run would make it a subquery, which PostgreSQL does not ask again once it has waited for another claim.
        won = Chunk.objects.filter(pk=chunk_id, claimed_at=None).update(
            claimed_at=now, lease_until=lease(), worker=identity.worker_name(), child=os.getpid()
        )
        if not won:
            return None
        chunk = Chunk.objects.select_related("run__task", "run__record_type").get(pk=chunk_id)
        if chunk.run.cancelled_at:
            transaction.set_rollback(True)
            return None
        items = claim_items(chunk)  # before the run's row, as everywhere: no two wait for each other
        if chunk.run.state == State.PENDING:
            Run.objects.filter(pk=chunk.run_id, state=State.PENDING).update(state=State.STARTED, started_at=now)
        return chunk, items


def claim_items(chunk: Chunk, expected: dict[int, int] | None = None) -> dict[int, int]:
    """The pending items of a claimed chunk's range become its own. Those `expected` are not read again."""
    items = RunItem.objects.of(chunk.run).filter(record_id__range=(chunk.first, chunk.last))
    claimed = items.filter(state=State.PENDING, chunk_id=None).update(
        state=State.STARTED, chunk_id=chunk.pk, attempts=Least(F("attempts") + 1, MOST), started_at=chunk.claimed_at
    )
    if expected is not None and claimed == len(expected):
        return expected
    mine = items.filter(chunk_id=chunk.pk).order_by("record_id")
    return dict(mine.values_list("record_id", "retries"))


def died_with_child(chunk_id: int) -> bool:
    """Whether this message comes again because its child died before the main process knew that it had begun.

    Billiard gives such a message to another child, once it has waited for the dead one: its process id is gone.
    """
    child = Chunk.objects.held_by(identity.worker_name()).filter(pk=chunk_id).values_list("child", flat=True).first()
    return child is not None and not identity.is_alive(child)
