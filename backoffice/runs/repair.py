"""What `manage.py doctor --repair` mends. Each repair is logged, and safe beside workers."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from backoffice.results import activity

from . import clock, identity, release, sweep
from .agreement import measure
from .drift import Drift, Kept
from .models import Chunk


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
    for chunk in expired:
        with transaction.atomic():
            activity.log(by, "run.repaired", chunk.run, lease_of=identity.in_words(chunk.worker), chunk=chunk.pk)
            release.lost(chunk.pk, charge=False, expired=True)
    return len(expired)
