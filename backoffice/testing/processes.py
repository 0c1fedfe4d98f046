"""With a worker: a real one in processes of its own, on the test's database."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from celery import current_app
from django.conf import settings
from django.db import connection
from django.test import override_settings

from backoffice import redis_url
from backoffice.management.running import redis_server, running
from backoffice.runs.models import Worker as Heartbeat


class NotForProcesses(Exception):
    """Other processes would not see what this test writes; the text says what to change."""


@dataclass
class Worker:
    """A worker that runs, and where its output goes."""

    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> list[int]:
        """Process ids of those that do the work."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def kill(self) -> None:
        """As a power cut would: the main process and all of its children at once."""
        for pid in [self.process.pid, *self.children()]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self, seconds: float = 30) -> int:
        """As systemd does, by SIGTERM. Returns its exit code; raises subprocess.TimeoutExpired."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def worker(*arguments: str, redis: str | None = None, folder: Path | None = None, **variables: str) -> Iterator[Worker]:
    """A real worker with two processes for all queues, which begins where the block does and ends with it.

    `arguments`: of `celery worker`. `redis`: the URL of one that is in use; without it there is one of its own, which
    this process uses too while the block lasts, so that nobody's REDIS_URL is touched. `folder`: where its log stays;
    without it in a temporary one, gone with the block. `variables`: of its environment.

    Raises NotForProcesses inside a transaction (take `transactional_db`, or TransactionTestCase) and where the test
    database is in memory; RuntimeError with the end of its log where it does not start, RedisUnavailable where this
    machine has no Redis.
    """
    _refuse_what_nobody_sees()
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-test-")))
        log = (folder or temporary) / f"worker-{os.urandom(4).hex()}.log"
        if redis is None:
            redis = stack.enter_context(redis_server(temporary / "redis"))
            stack.enter_context(redis_in_use(redis))
        command = (sys.executable, "-m", "celery", "-A", "backoffice", "worker", "-l", "info", "-c", "2", *arguments)
        process = stack.enter_context(
            running(
                # Asked to stop it would wait for what it has in hand, for ten seconds if need be.
                command, log, ready=lambda pid: _is_ready(pid, log), stop=signal.SIGKILL,
                cwd=settings.BASE_DIR, env=environment(REDIS_URL=redis, **variables),
            )
        )  # fmt: skip
        yield Worker(process, log)


def _refuse_what_nobody_sees() -> None:
    if connection.in_atomic_block:
        raise NotForProcesses(
            "A worker does not see what a transaction has not committed: take pytest's transactional_db, or Django's "
            "TransactionTestCase."
        )
    database: Any = connection
    if database.vendor == "sqlite" and database.is_in_memory_db():
        raise NotForProcesses(
            "A worker does not see a database in memory. Let the settings of your tests name a file: "
            'DATABASES["default"]["TEST"] = {"NAME": VAR / "test.sqlite3"}'
        )


def _is_ready(pid: int, log: Path) -> bool:
    return b" ready." in log.read_bytes() and Heartbeat.objects.filter(name__contains=f"/{pid}/").exists()


def environment(**variables: str) -> dict[str, str]:
    """Of another process that works on the test's database with the test's settings and modules."""
    return {
        **os.environ, "DATABASE_URL": database_url(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "REMAP_SIGTERM": "SIGQUIT", "PYTHONUNBUFFERED": "1", **variables,
    }  # fmt: skip


def database_url() -> str:
    """The test database, for another process."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    user, password, host = (quote(str(found[name] or ""), safe="") for name in ("USER", "PASSWORD", "HOST"))
    port = f":{found['PORT']}" if found["PORT"] else ""
    return f"postgresql://{user}{f':{password}' if password else ''}@{host}{port}/{found['NAME']}"


@contextmanager
def redis_in_use(url: str) -> Iterator[None]:
    """This process, and those it starts, send messages to that Redis and find results there while the block lasts."""
    broker, results = redis_url.database(url, 0), redis_url.database(url, 1)
    before, given = (current_app.conf.broker_url, current_app.conf.result_backend), os.environ.get("REDIS_URL")
    try:
        with override_settings(CELERY_BROKER_URL=broker, CELERY_RESULT_BACKEND=results):
            os.environ["REDIS_URL"] = url
            _use(broker, results)
            yield
    finally:
        _use(*before)
        os.environ.pop("REDIS_URL")
        os.environ |= {} if given is None else {"REDIS_URL": given}


def _use(broker: str, results: str) -> None:
    app = current_app._get_current_object()
    app.conf.broker_url, app.conf.result_backend = broker, results
    # As after a fork: pools and backend are made anew when they are next asked for.
    app._after_fork()
    app._backend_cache, app._local = None, threading.local()
