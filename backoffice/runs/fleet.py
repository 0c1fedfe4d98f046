"""Which workers live, from their heartbeats."""

import time
from datetime import timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from .models import Worker

ALIVE = timedelta(seconds=settings.RUNS_LEASE_SECONDS)
HEARTBEAT = settings.RUNS_LEASE_SECONDS / 3  # seconds
GAP = timedelta(seconds=15)  # three intervals without a sweep: it was away, and perhaps the database with it
UNSWEPT = timedelta(seconds=20)  # four of its intervals
SWEEP = "sweep"
_seen: tuple[float, int] = (0.0, 0)


def alive(kind: str = Worker.Kind.WORKER) -> "list[Worker]":
    return list(Worker.objects.filter(kind=kind, seen_at__gte=timezone.now() - ALIVE))


def is_alive(name: str) -> bool:
    return Worker.objects.filter(name=name, seen_at__gte=timezone.now() - ALIVE).exists()


def processes() -> int:
    """How many processes work on records; 2 where no worker has reported yet. Asked at most every 5 seconds."""
    global _seen
    if time.monotonic() - _seen[0] > 5:
        rows = Worker.objects.filter(
            kind=Worker.Kind.WORKER, queues__contains="records", seen_at__gte=timezone.now() - ALIVE
        )
        _seen = time.monotonic(), rows.aggregate(n=Sum("concurrency"))["n"] or 0
    return _seen[1] or 2


def report_sweep() -> timedelta:
    """Note that a sweep begins. Returns for how long they have come without a gap."""
    now = timezone.now()
    row, _made = Worker.objects.get_or_create(
        name=SWEEP, defaults={"kind": Worker.Kind.SWEEP, "concurrency": 0, "started_at": now, "seen_at": now}
    )
    since = row.started_at if now - row.seen_at <= GAP else now
    Worker.objects.filter(pk=row.pk).update(started_at=since, seen_at=now)
    return now - since


def is_unswept() -> bool:
    return not Worker.objects.filter(name=SWEEP, seen_at__gte=timezone.now() - UNSWEPT).exists()
