"""Taking a chunk away from whoever held it: given back, or lost."""

from celery.exceptions import WorkerLostError
from django.db import transaction
from django.db.models import F

from backoffice.results import rows

from ..database.again import again
from ..models import Chunk, Run, RunItem, State
from ..registry import CLAIMS
from . import broker, slicing
from .ledger import Verdict, count, remember, settle

DEATHS = 3  # alone with its worker, that many times: the record's own fault


@again()
def give_back(chunk: Chunk, size: int) -> None:
    """Return a chunk's unfinished items, uncharged, as chunks of `size`. Nobody's fault: no attempt is counted."""
    with transaction.atomic():
        if not _take(chunk.pk):
            return
        worn = _end_worn(chunk, "given back", attempts=-1)
        ids = _return_items(chunk, attempts=-1)
        broker.after_commit(chunk.run, slicing.chunks_of(chunk.run, _slices(ids, size)))
        count(chunk.run, worn)
    remember(chunk.run, worn, chunk.worker)


@again()
def lost(chunk_id: int, reason: str = "worker lost", *, charge: bool = True, expired: bool = False) -> None:
    """A worker died, or stopped answering, with this chunk. Its items come back one by one.

    An item that was alone with its worker is charged with the death; the third makes it FAILURE. `expired`: not if its
    holder has renewed the lease since somebody looked.
    """
    with transaction.atomic():
        # Read under its lock: a chunk that moves on changes its size.
        held = Chunk.objects.select_related("run__task", "run__record_type").select_for_update(of=("self",))
        chunk = (held.expired() if expired else held).filter(pk=chunk_id).first()
        if chunk is None or not _take(chunk_id):
            return
        alone = charge and chunk.size == 1
        doomed = _charge(chunk, reason) if alone else []
        doomed += _end_worn(chunk, reason)
        ids = _return_items(chunk)
        broker.after_commit(chunk.run, slicing.singles(chunk.run, ids))
        count(chunk.run, doomed)
    remember(chunk.run, doomed, chunk.worker)


def _take(chunk_id: int) -> bool:
    """Delete the claimed chunk: of any number of rescuers one succeeds, and its holder can write no more."""
    return bool(Chunk.objects.filter(pk=chunk_id, claimed_at__isnull=False)._raw_delete("default"))


def _charge(chunk: Chunk, reason: str) -> list[Verdict]:
    held = RunItem.objects.of(chunk.run).filter(chunk_id=chunk.pk, state=State.STARTED)
    held.update(deaths=F("deaths") + 1)
    doomed = [_verdict(item, reason) for item in held.filter(deaths__gte=DEATHS)]
    settle(chunk.run, doomed, chunk.worker, owner=chunk.pk)
    return doomed


def _end_worn(chunk: Chunk, reason: str, attempts: int = 0) -> list[Verdict]:
    """The bound where all ways back meet: what was claimed so often and came to no outcome is a failure."""
    held = RunItem.objects.of(chunk.run).filter(chunk_id=chunk.pk, state=State.STARTED)
    worn = [_worn(item, reason) for item in held.filter(attempts__gte=CLAIMS - attempts).order_by("record_id")]
    settle(chunk.run, worn, chunk.worker, owner=chunk.pk)
    return worn


def end_retried(run: Run, waiting: list[RunItem]) -> list[Verdict]:
    """The same bound for what waited to be tried again, with the error that it waited for."""
    worn = [_worn(item, item.error) for item in waiting if item.attempts >= CLAIMS]
    settle(run, worn, "", owner=None)
    return worn


def _worn(item: RunItem, reason: str) -> Verdict:
    return _failure(item, f"{reason}: record {item.record_id} was begun {item.attempts} times and came to no end.")


def _verdict(item: RunItem, reason: str) -> Verdict:
    return _failure(item, f"{reason}: record {item.record_id} was alone with its worker each of {item.deaths} times.")


def _failure(item: RunItem, why: str) -> Verdict:
    error = WorkerLostError(why)
    return Verdict(
        item.record_id, State.FAILURE, error=str(error), result=rows.error(error), retries=item.retries,
        started_at=item.started_at,
    )  # fmt: skip


def _return_items(chunk: Chunk, attempts: int = 0) -> list[int]:
    held = RunItem.objects.of(chunk.run).filter(chunk_id=chunk.pk, state=State.STARTED)
    ids = list(held.order_by("record_id").values_list("record_id", flat=True))
    held.update(state=State.PENDING, chunk_id=None, started_at=None, attempts=F("attempts") + attempts)
    return ids


def _slices(ids: list[int], size: int) -> list[list[int]]:
    return [ids[at : at + size] for at in range(0, len(ids), size)]


def of_worker(worker: str) -> None:
    """A worker stops: what it still holds goes back at once, uncharged."""
    for chunk in Chunk.objects.held_by(worker).select_related("run__task", "run__record_type"):
        give_back(chunk, max(1, chunk.size))
