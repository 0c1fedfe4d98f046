"""Real beats for tests, started as typed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django_celery_beat.models import PeriodicTask

from backoffice.schedules.models import Firing, Lease, ScheduleState
from tests.servers import wait_until
from tests.workers import ROOT, environment


@contextmanager
def running_beat(**extra: str) -> Iterator[subprocess.Popen[bytes]]:
    log = Path(os.environ["BACKOFFICE_TEST_DIR"]) / f"beat-{os.urandom(4).hex()}.log"
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "beat", "-l", "info"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(**extra), stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def leader() -> int:
    """The process id of the beat that leads; 0 when none ever has."""
    return int(Lease.current().holder.partition("/")[2].partition("/")[0] or 0)


def kill_leader() -> int:
    """As a power cut would."""
    killed = leader()
    os.kill(killed, signal.SIGKILL)
    return killed


def turn_off_and_settle() -> None:
    """All schedules; beat has seen it, and has sent what was due before."""
    PeriodicTask.objects.update(enabled=False)  # no save, no signal: seen within seconds
    wait_until(lambda: not ScheduleState.objects.exclude(timing="").exists(), seconds=20)
    wait_until(lambda: not Firing.objects.waiting().exists(), seconds=40)
