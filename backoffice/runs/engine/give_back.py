"""Taking a chunk away from whoever held it: given back, or lost."""

from celery.exceptions import WorkerLostError
from django.db import transaction
from django.db.models import F, Q, QuerySet

from backoffice.results import rows

from ..database.again import again
from ..models import Chunk, Run, RunItem, State
from ..registry import CLAIMS
from . import broker, ledger, slicing

DEATHS = 3  # alone with its worker, that many times: the record's own fault


@again()
def unworked(chunk: Chunk, size: int) -> None:
    """Return a chunk's unfinished items, uncharged, as chunks of `size`. Nobody's fault: no attempt is counted."""
    with transaction.atomic():
        if _take(chunk.pk):
            _return_items(chunk, "given back", size, attempts=-1)


@again()
def lost(chunk_id: int, reason: str = "worker lost", *, charge: bool = True, expired: bool = False) -> None:
    """Return the items of a chunk whose worker died, or stopped answering, one by one.

    An item that was alone with its worker is charged with the death; the third makes it FAILURE. `expired`: not if its
    holder has renewed the lease since somebody looked.
    """
    with transaction.atomic():
        # Read under its lock: a chunk that moves on changes its size.
        held = Chunk.objects.select_related("run__task", "run__record_type").select_for_update(of=("self",))
        chunk = (held.expired() if expired else held).filter(pk=chunk_id).first()
        if chunk is None or not _take(chunk_id):
            return
        if charge and chunk.size == 1:
            _held(chunk).update(deaths=F("deaths") + 1)
        _return_items(chunk, reason, size=1)


def of_worker(worker: str) -> None:
    """Return what a worker that stops still holds, at once and uncharged."""
    for chunk in Chunk.objects.held_by(worker).select_related("run__task", "run__record_type"):
        unworked(chunk, max(1, chunk.size))


def end_worn(run: Run, waiting: list[RunItem]) -> None:
    """End those of the items that wait to be tried again which were begun too often, with the error they waited for."""
    worn = [_worn(item, item.error) for item in waiting if item.attempts >= CLAIMS]
    if worn:
        ledger.write(run, worn, "", owner=None)


def _take(chunk_id: int) -> bool:
    """Delete the claimed chunk: of any number of rescuers one succeeds, and its holder can write no more."""
    return bool(Chunk.objects.filter(pk=chunk_id, claimed_at__isnull=False)._raw_delete("default"))


def _held(chunk: Chunk) -> QuerySet[RunItem]:
    return RunItem.objects.of(chunk.run).filter(chunk_id=chunk.pk, state=State.STARTED).order_by("record_id")


def _return_items(chunk: Chunk, reason: str, size: int, attempts: int = 0) -> None:
    """End what may not be begun again: the bound where all ways back meet. The rest is pending, in chunks of `size`."""
    over = Q(deaths__gte=DEATHS) | Q(attempts__gte=CLAIMS - attempts)
    ended = [
        _killer(item, reason) if item.deaths >= DEATHS else _worn(item, reason) for item in _held(chunk).filter(over)
    ]
    ids = list(_held(chunk).exclude(over).values_list("record_id", flat=True))
    _held(chunk).exclude(over).update(
        state=State.PENDING, chunk_id=None, started_at=None, attempts=F("attempts") + attempts
    )
    ledger.write(chunk.run, ended, chunk.worker, owner=chunk.pk)
    slices = [ids[at : at + size] for at in range(0, len(ids), size)]
    broker.after_commit(chunk.run, slicing.chunks_of(chunk.run, slices))


def _worn(item: RunItem, reason: str) -> ledger.Transition:
    return _failure(item, f"{reason}: record {item.record_id} was begun {item.attempts} times and came to no end.")


def _killer(item: RunItem, reason: str) -> ledger.Transition:
    return _failure(item, f"{reason}: record {item.record_id} was alone with its worker each of {item.deaths} times.")


def _failure(item: RunItem, why: str) -> ledger.Transition:
    error = WorkerLostError(why)
    return ledger.Transition(
        item.record_id, State.FAILURE, error=str(error), result=rows.error(error), retries=item.retries,
        started_at=item.started_at,
    )  # fmt: skip
