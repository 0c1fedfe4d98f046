"""The one module that publishes. What it cannot publish, the sweep publishes later."""

import logging
from collections.abc import Iterable
from functools import partial
from uuid import uuid4

from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError, OperationalError

from .models import Chunk, Run
from .registry import find

logger = logging.getLogger(__name__)
QUEUE = "records"
UNREACHABLE = (OperationalError, KombuError, ConnectionError, TimeoutError, OSError)


def after_commit(run: Run, chunks: Iterable[Chunk]) -> None:
    """Publish once the transaction that wrote the chunks has committed."""
    transaction.on_commit(partial(publish, run, list(chunks)))


def publish(run: Run, chunks: list[Chunk]) -> bool:
    """Send a message for each chunk. False when the broker did not take them all: they then wait for the sweep."""
    try:
        task = find(run.task.name)
    except LookupError as exc:
        logger.error("Run %s waits: %s", run.pk, exc)  # until the code that knows the task is back
        return False
    for at, chunk in enumerate(chunks):
        try:
            # retry=False: the person waits, and the sweep repeats it.
            task.apply_async(
                args=[chunk.first],
                task_id=str(uuid4()),
                headers={"chunk": chunk.pk, "run": run.pk},
                ignore_result=True,
                retry=False,
            )
        except UNREACHABLE as exc:
            logger.warning("The broker took %d of %d chunks of run %s: %s", at, len(chunks), run.pk, exc)
            Chunk.objects.filter(pk__in=[late.pk for late in chunks[at:]]).update(published_at=None)
            run.waits_for_broker = True
            return False
    return True


def sweep_soon() -> None:
    """Ask for a sweep now, without waiting for its schedule. Best effort: the schedule comes anyway."""
    try:
        current_app.send_task(
            "backoffice.runs.tasks.sweep", queue="control", ignore_result=True, expires=30, retry=False
        )
    except UNREACHABLE as exc:
        logger.warning("The broker did not take a sweep: %s", exc)


def queue_length(queue: str = QUEUE) -> int:
    """Messages waiting in a queue. Raises kombu's OperationalError when the broker is away."""
    with current_app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        return int(connection.default_channel._size(queue))
