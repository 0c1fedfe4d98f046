"""What `manage.py doctor --repair` mends. Each repair is logged, and safe beside workers."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from backoffice.results import activity

from .. import ids, sweep
from ..database import clock
from ..database.again import again
from ..engine import give_back
from ..models import Chunk
from .compare import measure
from .findings import Drift, Kept


def repair(by: str, kept: Kept | None = None) -> Drift:
    """Write everything as the ledger has it, then let it go on. Returns what was found."""
    drift = measure(repair=True, by=by, kept=kept)
    drift.leases = release_leases(by)
    sweep.sweep()
    return drift


def release_leases(by: str) -> int:
    """Leases that ran out long ago, so that no sweep came for them. Nobody is charged: who knows what stood still."""
    long_ago = clock.now(-timedelta(seconds=settings.RUNS_LEASE_SECONDS))
    expired = list(Chunk.objects.expired().filter(lease_until__lt=long_ago).select_related("run__task"))
    return sum(_release(chunk, by) for chunk in expired)


@again()
def _release(chunk: Chunk, by: str) -> int:
    with transaction.atomic():
        # Asked again under its lock: its holder may live, or another repair have come for it.
        if not Chunk.objects.expired().filter(pk=chunk.pk).select_for_update(of=("self",)).exists():
            return 0
        activity.log(by, "run.repaired", chunk.run, lease_of=ids.in_words(chunk.worker), chunk=chunk.pk)
        give_back.lost(chunk.pk, charge=False, expired=True)
    return 1
