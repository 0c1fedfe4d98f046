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
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone
from django_celery_results.models import TaskResult
from redis.exceptions import RedisError

from . import rows
from .models import UntoldResult

logger = logging.getLogger(__name__)

KEY = "backoffice-waiting-rows"  # a sorted set by time, in the results' Redis; it never expires
AT_ONCE = 20  # a result may hold megabytes
BUDGET = 2.0  # seconds of one sweep
TIMES = ("date_created", "date_started", "date_done")


def for_database(client: Any, row: Sequence[Any]) -> None:
    """Keep in Redis a row that the database did not take. Raises RedisError."""
    fields = dict(zip(rows.FIELDS, row, strict=True))
    fields |= {name: at.isoformat() for name in TIMES if (at := fields[name])}
    client.zadd(KEY, {json.dumps(fields): timezone.now().timestamp()})


def for_redis(task_id: str) -> None:
    """Note in the database that Redis has not been told what became of a task. Never raises."""
    try:
        UntoldResult.objects.bulk_create([UntoldResult(task_id=task_id)], ignore_conflicts=True)
    except (DatabaseError, InterfaceError):
        logger.warning("Redis is not told of %s; who asks is answered from its row.", task_id, exc_info=True)


def settle() -> int:
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
        for kept in waiting:
            _write(kept)
        done += client.zrem(KEY, *waiting)
    return done


def _write(kept: bytes) -> None:
    """Raises OperationalError while the database is still away: the rest waits on."""
    fields = json.loads(kept)
    fields |= {name: datetime.fromisoformat(at) for name in TIMES if (at := fields[name])}
    try:
        with transaction.atomic():
            rows.write([tuple(fields[name] for name in rows.FIELDS)])
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        # Not away: it refuses this row and would for ever. Redis has the result until it expires.
        logger.exception("The database refuses the result of task %s.", fields["task_id"])


def _to_redis(backend: Any, deadline: float) -> int:
    done = 0
    for ids in _untold(deadline):
        for row in TaskResult.objects.filter(task_id__in=ids):
            backend.remember_row(row)
        done += UntoldResult.objects.filter(task_id__in=ids).delete()[0]
    return done


def _untold(deadline: float) -> Iterator[list[str]]:
    oldest = UntoldResult.objects.order_by("pk").values_list("task_id", flat=True)
    while time.monotonic() < deadline and (ids := list(oldest[:AT_ONCE])):
        yield ids
