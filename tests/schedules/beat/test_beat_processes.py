"""FAULTS 22 with real beats: started as typed, killed as a power cut would, one fire per due time, none lost."""

import os
import re
import signal
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from backoffice.runs.models import Worker
from backoffice.schedules.models import Firing, Missed, Overlap, ScheduleState
from tests.schedules import factories, queued
from tests.schedules.beat.beats import kill_leader, leader, running_beat, turn_off_and_settle
from tests.schedules.tasks import PROCESS
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def every_second(task=PROCESS, args="[1]"):
    row = factories.row("Every second", task=task, args=args, interval=factories.interval(1))
    ScheduleState.objects.create(schedule=row, missed=Missed.EACH, overlap=Overlap.ALLOW)
    return row


def gaps_between_due_times() -> set[float]:
    dues = list(Firing.objects.order_by("due_at").values_list("due_at", flat=True))
    return {(later - earlier).total_seconds() for earlier, later in zip(dues, dues[1:], strict=False)}


@pytest.mark.spared
def test_beats_killed_while_they_fire_lose_and_repeat_nothing():
    every_second()
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(running_beat())
        for _kill in range(2):
            seen = Firing.objects.filter(state="sent").count()
            wait_until(lambda seen=seen: Firing.objects.filter(state="sent").count() > seen + 1, seconds=40)
            killed = kill_leader()
            stack.enter_context(running_beat())
            wait_until(lambda killed=killed: leader() not in (0, killed), seconds=40)
        turn_off_and_settle()
    assert gaps_between_due_times() == {1.0}
    sent = Counter(message["backoffice-firing"] for message in queued.messages())
    assert sent == Counter(Firing.objects.values_list("pk", flat=True))


@pytest.mark.once
@pytest.mark.long
def test_two_beats_for_five_minutes_killed_right_after_they_fire_and_a_worker_that_runs_each_message_once():
    minutes = float(os.environ.get("TEST_BEAT_MINUTES", "5"))
    every_second(task="records.tasks.add", args="[2, 3]")
    kills = 0
    with running_worker() as worker, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(running_beat())
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            seen = Firing.objects.count()
            wait_until(lambda seen=seen: Firing.objects.count() > seen + 4, seconds=40)
            seen = Firing.objects.count()
            while Firing.objects.count() == seen:  # closer than wait_until looks: in the middle of sending it
                time.sleep(0.001)
            time.sleep(kills % 5 * 0.003)
            killed = kill_leader()
            kills += 1
            wait_until(lambda killed=killed: leader() not in (0, killed), seconds=40)
            stack.enter_context(running_beat())
        turn_off_and_settle()
        ids = set(Firing.objects.values_list("task_id", flat=True))
        wait_until(lambda: log_of(worker).count("succeeded in") >= len(ids), seconds=60)
        received = Counter(re.findall(r"Task records\.tasks\.add\[([0-9a-f-]+)\] received", log_of(worker)))
    print(f"{kills} kills, {len(ids)} due times, {sum(received.values())} messages")
    assert gaps_between_due_times() == {1.0}
    assert received == Counter(ids)


def log_of(worker) -> str:
    return worker.log.read_text(errors="replace")


@pytest.mark.spared
@pytest.mark.long
def test_two_beats_whose_clocks_are_a_minute_apart_keep_one_leader_and_fire_each_due_time_once():
    every_second()
    with running_beat(TEST_CLOCK_AHEAD="-30") as slow, running_beat(TEST_CLOCK_AHEAD="30") as fast:
        wait_until(lambda: Worker.objects.filter(kind="beat").count() == 2, seconds=40)
        wait_until(lambda: leader() and Firing.objects.filter(state="sent").exists(), seconds=40)
        leaders, end = {leader()}, time.monotonic() + 9  # longer than a lease and its renewals
        while time.monotonic() < end:
            leaders.add(leader())
            time.sleep(0.05)
        assert len(leaders) == 1 <= Firing.objects.filter(state="sent").count()
        stopped = slow if leaders == {slow.pid} else fast
        stopped.send_signal(signal.SIGKILL)
        wait_until(lambda: leader() not in (0, stopped.pid), seconds=20)
        seen = Firing.objects.count()
        turn_off_and_settle()
    sent = Counter(message["backoffice-firing"] for message in queued.messages())
    assert seen
    assert sent == Counter(Firing.objects.values_list("pk", flat=True))


@pytest.mark.spared
def test_a_beat_reports_that_it_lives_and_leaves_nothing_behind_when_it_stops():
    with running_beat() as process:
        wait_until(lambda: Worker.objects.filter(kind="beat", name__contains=f"/{process.pid}/").exists(), seconds=30)
        wait_until(lambda: leader() == process.pid, seconds=10)
        process.terminate()
        assert process.wait(20) == 0
    assert not Worker.objects.filter(kind="beat").exists()
