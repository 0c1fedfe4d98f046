"""The worker's main process: it says that it lives, keeps its leases, and gives back what a dead child held."""

import logging
import os
import threading
from typing import Any

from celery import bootsteps, signals
from celery.app.task import Context
from celery.concurrency import prefork
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from celery.worker import state as worker_state
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from backoffice.results import left_open
from backoffice.results.message import (
    headers,
    revoked,  # noqa: F401 - takes the place of a command
)
from backoffice.results.message.request import SteadyRequest

from ..database.again import again
from ..engine import broker, give_back, heartbeats, identity
from ..engine.claims import MOST, lease
from ..models import Chunk, Worker
from . import stats  # noqa: F401 - takes the place of a command

logger = logging.getLogger(__name__)


class ChunkRequest(SteadyRequest):
    """A record task's message as the main process sees it: the first to know that a child is gone."""

    @property
    def chunk_id(self) -> int | None:
        return headers.chunk(Context(self._request_dict))

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        chunk_id = self.chunk_id
        try:
            return super().on_failure(exc_info, send_failed_event, return_ok)
        finally:
            if chunk_id is not None:
                exc = getattr(exc_info.exception, "exc", exc_info.exception)
                limit = isinstance(exc, TimeLimitExceeded)
                died = isinstance(exc, (WorkerLostError, SystemExit)) and not self._already_cancelled
                give_back_for_child(
                    chunk_id,
                    charge=limit or (died and not worker_state.should_terminate),
                    reason=f"Hard time limit of {exc.args[0]:g} s exceeded" if limit else "worker lost",
                )


def give_back_for_child(chunk_id: int, *, charge: bool, reason: str = "worker lost") -> None:
    """Give back the chunk of a child that is gone. With the database away its lease runs out, and the sweep does it."""
    try:
        give_back.lost(chunk_id, reason, charge=charge)
    except (DatabaseError, InterfaceError):
        logger.exception("Chunk %s waits for its lease to run out.", chunk_id)
    finally:
        _let_go()


def _let_go() -> None:
    """The main process keeps no connection: a child forked later would inherit it."""
    if identity.in_main_process():
        connection.close()


class Heartbeat(bootsteps.StartStopStep):
    """Writes the worker's row and renews the leases of the chunks its children are busy with."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        self.worker, self.timer, self.stopped = parent, None, threading.Event()
        identity.become(parent.hostname)

    def start(self, parent: Any) -> None:
        self.beat()
        if issubclass(parent.pool_cls, prefork.TaskPool):  # a thread's locks would be copied into the children
            self.timer = parent.timer.call_repeatedly(heartbeats.HEARTBEAT, self.beat, priority=10)
        else:  # where the main process works itself its timers wait for the record
            threading.Thread(target=self._beat_on, name="heartbeat", daemon=True).start()

    def stop(self, parent: Any) -> None:
        self.stopped.set()
        if self.timer:
            self.timer.cancel()
        self._quietly(self._leave)

    terminate = stop

    def beat(self) -> None:
        self._quietly(self._beat)

    def _beat_on(self) -> None:
        while not self.stopped.wait(heartbeats.HEARTBEAT):
            self.beat()

    def _quietly(self, step: Any) -> None:
        try:
            step()
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("No heartbeat, the database is away: %s", exc)
        finally:
            _let_go()

    @again()
    def _beat(self) -> None:
        queues = ",".join(sorted(self.worker.app.amqp.queues.consume_from))
        concurrency = min(self.worker.concurrency or 1, MOST)
        heartbeats.report(identity.worker_name(), queues=queues, concurrency=concurrency)
        held = Chunk.objects.held_by(identity.worker_name()).filter(pk__in=_busy())
        held.update(lease_until=lease())
        if heartbeats.is_unswept():
            broker.sweep_soon()  # there is no beat, or its sweeps expire before a process is free

    def _leave(self) -> None:
        if os.getpid() == identity.main_pid():
            give_back.of_worker(identity.worker_name())
            Worker.objects.filter(name=identity.worker_name()).delete()


def _busy() -> list[int]:
    """The chunks this worker's processes, or threads, are at work on."""
    while True:
        try:
            chunks = [getattr(request, "chunk_id", None) for request in worker_state.active_requests]
        except RuntimeError:  # another thread began or ended a task
            continue
        return [pk for pk in chunks if pk]


@signals.task_prerun.connect
@signals.task_postrun.connect
def look_at_connections(sender: Any, **_kwargs: Any) -> None:
    """As Django does around a request: one that broke, or was left inside a transaction, is closed."""
    if not sender.request.is_eager:
        left_open.undo()
        close_old_connections()


@signals.worker_ready.connect
def sweep_at_start(**_kwargs: Any) -> None:
    """A worker and a web process recover what was left behind without waiting for beat."""
    broker.sweep_soon()
