"""FAULTS 22 with real beats: started as typed, killed as a power cut would, one fire per due time, none lost."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Worker
from backoffice.schedules.models import Firing, Lease, Missed, Overlap, ScheduleState
from tests.schedules import helpers
from tests.servers import wait_until
from tests.workers import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_beat() -> Iterator[subprocess.Popen[bytes]]:
    log = Path(os.environ["BACKOFFICE_TEST_DIR"]) / f"beat-{os.urandom(4).hex()}.log"
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "beat", "-l", "info"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=output, stderr=subprocess.STDOUT)
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


def every_second():
    row = helpers.row("Every second", task=helpers.PROCESS, args="[1]", interval=helpers.interval(1))
    ScheduleState.objects.create(schedule=row, missed=Missed.EACH, overlap=Overlap.ALLOW)
    return row


def leader() -> int:
    return int(Lease.current().holder.rpartition("/")[2] or 0)


def test_beats_killed_while_they_fire_lose_and_repeat_nothing():
    row = every_second()
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(running_beat())
        for _kill in range(3):
            seen = Firing.objects.filter(state="sent").count()
            wait_until(lambda seen=seen: Firing.objects.filter(state="sent").count() > seen + 1, seconds=40)
            killed = leader()
            os.kill(killed, signal.SIGKILL)
            stack.enter_context(running_beat())
            wait_until(lambda killed=killed: leader() not in (0, killed), seconds=40)
        PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)  # no save, no signal: seen within seconds
        wait_until(lambda: ScheduleState.objects.filter(pk=row.pk, timing="").exists(), seconds=10)
        wait_until(lambda: not Firing.objects.waiting().exists(), seconds=20)
    dues = list(Firing.objects.order_by("due_at").values_list("due_at", flat=True))
    gaps = {(later - earlier).total_seconds() for earlier, later in zip(dues, dues[1:], strict=False)}
    assert gaps == {1.0}
    sent = Counter(message["firing"] for message in helpers.messages())
    assert sent == Counter(Firing.objects.values_list("pk", flat=True))


def test_a_beat_reports_that_it_lives_and_leaves_nothing_behind_when_it_stops():
    with running_beat() as process:
        wait_until(lambda: Worker.objects.filter(kind="beat", name__endswith=f"/{process.pid}").exists(), seconds=30)
        wait_until(lambda: leader() == process.pid, seconds=10)
        process.terminate()
        assert process.wait(20) == 0
    assert not Worker.objects.filter(kind="beat").exists()
