"""Which workers live, from their heartbeats."""

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils import timezone

from backoffice.queues import RECORDS

from ..database import clock
from ..database.again import again
from ..models import Worker

ALIVE = timedelta(seconds=settings.RUNS_LEASE_SECONDS)
HEARTBEAT = settings.RUNS_LEASE_SECONDS / 3  # seconds
SURE = timedelta(seconds=1.5 * HEARTBEAT)
GAP = timedelta(seconds=15)  # three intervals without a sweep: it was away, and perhaps the database with it
UNSWEPT = timedelta(seconds=20)  # four of its intervals
SWEEP = "sweep"
_seen: tuple[float, int] = (0.0, 0)


@again()
def report(name: str, **values: Any) -> None:
    """Write that a process lives, and what its own clock says beside the database's."""
    with transaction.atomic():  # begun before the clock is read: on SQLite this may wait for others
        Worker.objects.update_or_create(name=name, defaults={"seen_at": clock.now(), "clock": timezone.now(), **values})


def living() -> QuerySet[Worker]:
    """Not who was seen before the clock was set back, and not since."""
    return Worker.objects.filter(~clock.is_far("seen_at", ALIVE), seen_at__gte=clock.now(-ALIVE))


def alive(kind: str = Worker.Kind.WORKER) -> list[Worker]:
    return list(living().filter(kind=kind))


def serving(queue: str) -> list[Worker]:
    """The workers that read this queue."""
    return [worker for worker in alive() if queue in worker.serves]


def is_alive(name: str) -> bool:
    return living().filter(name=name).exists()


def processes() -> int:
    """How many processes work on records; 2 where no worker has reported yet. Asked at most every 5 seconds."""
    global _seen
    if time.monotonic() - _seen[0] > 5:
        _seen = time.monotonic(), sum(worker.concurrency for worker in serving(RECORDS))
    return _seen[1] or 2


@again()
def report_sweep() -> None:
    """Note that a sweep begins, and since when they come without a gap: in one statement, for two may begin at once."""
    unbroken = Case(When(seen_at__range=(clock.now(-GAP), clock.now(GAP)), then=F("started_at")), default=clock.now())
    if not Worker.objects.filter(name=SWEEP).update(started_at=unbroken, seen_at=clock.now()):
        begins = {"started_at": clock.now(), "seen_at": clock.now()}
        Worker.objects.get_or_create(name=SWEEP, defaults={"kind": Worker.Kind.SWEEP, "concurrency": 0, **begins})


def is_watched() -> bool:
    """Whether sweeps come without a gap, and for long enough that a worker that lives has reported meanwhile."""
    return Worker.objects.filter(name=SWEEP, started_at__lte=clock.now(-SURE), seen_at__gte=clock.now(-GAP)).exists()


def is_unswept() -> bool:
    return not Worker.objects.filter(name=SWEEP, seen_at__gte=clock.now(-UNSWEPT)).exists()
