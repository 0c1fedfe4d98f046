"""Real worker processes for tests, pointed at the test database."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from backoffice.runs.models import Worker as Heartbeat
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Worker:
    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def kill(self) -> None:
        """As a power cut would: the main process and all of its children at once."""
        for pid in [self.process.pid, *self.children()]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self, seconds: float = 30) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def database_url() -> str:
    """The test database, for another process."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgresql://{quote(found['USER'])}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def environment(**extra: str) -> dict[str, str]:
    return {
        **os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings",
        "REMAP_SIGTERM": "SIGQUIT", "PYTHONUNBUFFERED": "1", **extra,
    }  # fmt: skip


@contextmanager
def running_worker(*arguments: str, wait: bool = True, **extra: str) -> Iterator[Worker]:
    log = Path(os.environ["BACKOFFICE_TEST_DIR"]) / f"worker-{os.urandom(4).hex()}.log"
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "worker", "-l", "info", "-c", "2", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**extra), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    worker = Worker(process, log)
    try:
        if wait:
            wait_until(lambda: is_ready(worker), what=f"worker ready ({log})")
        yield worker
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                worker.kill()
        _end_group(process.pid)


def is_ready(worker: Worker) -> bool:
    if worker.process.poll() is not None:
        raise RuntimeError(f"the worker ended: {worker.log.read_text()[-3000:]}")
    ready = b" ready." in worker.log.read_bytes()
    return ready and Heartbeat.objects.filter(name__contains=f"/{worker.process.pid}/").exists()


def _end_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
