"""What one store did not take waits in the other: rows in Redis while the database is away, and the reverse.

The sweep brings them home. Every step may run twice, in any order and in two processes at once: rows never go
backwards in state, keys neither, and what waits is let go of only when it has arrived.
"""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from . import outage, rows
from .models import UntoldResult

logger = logging.getLogger(__name__)

# Sorted sets by time, in the results' Redis; they never expire.
KEY = "backoffice-waiting-rows"
ASIDE = "backoffice-rows-set-aside"  # what was no row, or one that the database refuses: it holds no other up
AT_ONCE = 20  # a result may hold megabytes
BUDGET = 2.0  # seconds of one sweep


def for_database(client: Any, row: Sequence[Any]) -> None:
    """Keep in Redis a row that the database did not take. Raises RedisError."""
    fields = dict(zip(rows.FIELDS, row, strict=True))
    fields |= {name: at.isoformat() for name in rows.TIMES if (at := fields[name])}
    client.zadd(KEY, {json.dumps(fields): timezone.now().timestamp()})


def for_redis(task_id: str) -> None:
    """Note in the database that Redis has not been told what became of a task. Never raises."""
    try:
        UntoldResult.objects.bulk_create([UntoldResult(task_id=task_id)], ignore_conflicts=True)
    except outage.DATABASE:
        logger.warning("Redis is not told of %s; who asks is answered from its row.", task_id, exc_info=True)


def deliver() -> int:
    """Bring home what waits, for some seconds. Returns how many outcomes arrived."""
    backend, deadline = current_app.backend, time.monotonic() + BUDGET
    try:
        return _to_database(backend.client, deadline) + _to_redis(backend, deadline)
    except RedisError as exc:
        logger.warning("Redis is away, outcomes wait: %s", exc)
        return 0


def _to_database(client: Any, deadline: float) -> int:
    done = 0
    while time.monotonic() < deadline and (waiting := client.zrange(KEY, 0, AT_ONCE - 1)):
        refused = [kept for kept in waiting if not _write(kept)]
        if refused:
            client.zadd(ASIDE, dict.fromkeys(refused, timezone.now().timestamp()))
        done += client.zrem(KEY, *waiting)
    return done


def _write(kept: bytes) -> bool:
    """False for what is no row, or one that the database refuses. Raises what an outage raises: the rest waits on."""
    try:
        fields = json.loads(kept)
        fields |= {name: datetime.fromisoformat(at) for name in rows.TIMES if (at := fields[name])}
        with transaction.atomic():
            rows.write([rows.fit([fields[name] for name in rows.FIELDS])])
    except Exception as exc:
        if outage.is_outage(exc):
            raise
        logger.exception("An outcome that waited for the database is set aside, it cannot be written: %.500r", kept)
        return False
    return True


def ask_aside(client: Any) -> Any:
    """How many were set aside; of a pipeline the answer comes later. Raises RedisError."""
    return client.zcard(ASIDE)


def write_set_aside(client: Any) -> list[bytes]:
    """Try once more with what was set aside. Returns what is let go of, as it can never be. Raises RedisError."""
    hopeless = []
    for kept in client.zrange(ASIDE, 0, -1):
        if not _write(kept):
            hopeless.append(kept)
        client.zrem(ASIDE, kept)
    return hopeless


def _to_redis(backend: Any, deadline: float) -> int:
    done = 0
    for ids in _untold(deadline):
        for row in TaskResult.objects.filter(task_id__in=ids):
            _tell(backend, row)
        done += UntoldResult.objects.filter(task_id__in=ids).delete()[0]
    return done


def _tell(backend: Any, row: TaskResult) -> None:
    """Raises RedisError while Redis is still away."""
    try:
        backend.remember_row(row)
    except KombuError:
        logger.exception("Redis is not told of %s; who asks is answered from its row.", row.task_id)


def _untold(deadline: float) -> Iterator[list[str]]:
    oldest = UntoldResult.objects.order_by("pk").values_list("task_id", flat=True)
    while time.monotonic() < deadline and (ids := list(oldest[:AT_ONCE])):
        yield ids
