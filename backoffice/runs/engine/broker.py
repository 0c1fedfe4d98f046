"""The one module that publishes. What it cannot publish, the sweep publishes later."""

import logging
from collections.abc import Iterable
from functools import partial
from uuid import uuid4

from celery import Task, current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from backoffice.queues import CONTROL, RECORDS, TASKS, start_for
from backoffice.results import activity
from backoffice.results.message import headers
from backoffice.results.values import text

from ..models import Chunk, Run
from ..registry import RecordTask, find, record_tasks
from . import heartbeats, queues

logger = logging.getLogger(__name__)
# What the broker and the way to it raise; a Redis that is full raises its own.
UNREACHABLE = (OperationalError, OSError, RedisError)


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
                queue=queue_of(task),
                headers=headers.of_chunk(chunk.pk, run.pk),
                ignore_result=True,
                retry=False,
            )
        except UNREACHABLE as exc:
            logger.warning("The broker took %d of %d chunks of run %s: %s", at, len(chunks), run.pk, exc)
            Chunk.objects.filter(pk__in=[late.pk for late in chunks[at:]]).update(published_at=None)
            run.waits_for_broker = True
            return False
        except SoftTimeLimitExceeded:
            raise  # meant for the task that hands its chunk on
        except Exception as exc:  # of the task's declaration, a route or an option: the same each time
            logger.exception("Run %s cannot be sent.", run.pk)
            cannot_be_sent(run, exc)
            return False
    return True


def cannot_be_sent(run: Run, exc: Exception) -> None:
    """Cancel a run whose messages nobody can send: it would wait for ever. The sweep ends its items."""
    told = {"error": text.storable(f"{type(exc).__name__}: {text.said(exc)}", 1_000)}
    call_off(run, _("its messages could not be sent (%(error)s)") % told)


def call_off(run: Run, reason: str) -> None:
    """Cancel a run that cannot go on, in the system's name; `run` says so, too."""
    values = {"cancelled_at": timezone.now(), "cancelled_by": activity.SYSTEM, "cancel_reason": reason}
    with transaction.atomic():
        if not Run.objects.filter(pk=run.pk, finished_at=None, cancelled_at=None).update(**values):
            run.refresh_from_db(fields=("cancelled_at", "cancel_reason", "finished_at"))  # another one was faster
            return
        activity.log(None, "run.cancelled", run, reason=reason)
    run.cancelled_at, run.cancel_reason = timezone.now(), reason
    sweep_soon()


def sweep_soon() -> None:
    """Ask for a sweep now, without waiting for its schedule. Best effort: the schedule comes anyway."""
    try:
        current_app.send_task("backoffice.runs.tasks.sweep", queue=CONTROL, ignore_result=True, expires=30, retry=False)
    except UNREACHABLE as exc:
        logger.warning("The broker did not take a sweep: %s", exc)


def ask_to_tell(event_id: int) -> bool:
    try:
        current_app.send_task("backoffice.runs.tasks.tell", (event_id,), queue=TASKS, ignore_result=True, retry=False)
    except UNREACHABLE as exc:
        logger.warning("The broker did not take an event: %s", exc)
        return False
    return True


def queue_of(task: RecordTask) -> str:
    """The queue of a record task's chunks. Called the plain way it goes where every task goes."""
    return asked_queue(task) or RECORDS


def asked_queue(task: Task) -> str:
    """The queue that a task declares, or a route gives it; "" for neither."""
    asked = getattr(task, "queue", None) or (current_app.amqp.router.lookup_route(task.name) or {}).get("queue")
    return str(getattr(asked, "name", asked) or "")


def unread(task: RecordTask) -> str:
    """What to do where no worker reads the queue in which this task's records wait; "" where one does."""
    queue = queue_of(task)
    if heartbeats.serving(queue):
        return ""
    told = {"queue": queue, "command": start_for([queue])}
    return _("No worker reads the queue “%(queue)s”, where these records wait. Start one: %(command)s") % told


def queue_length() -> int:
    """Messages waiting where chunks go. Raises kombu's OperationalError when the broker is away."""
    names = sorted({RECORDS, *map(queue_of, record_tasks().values())})
    with current_app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=2)
        channel = connection.default_channel
        with channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipeline:
            queues.ask(pipeline, names)
            return sum(queues.counted(names, pipeline.execute()).values())
