"""Two beats at the same due times, one of them standing still at the worst moments: each firing is sent once."""

import threading
from collections import Counter
from contextlib import contextmanager

import pytest
from celery import current_app
from django.db import connection
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from backoffice.schedules.beat import publish
from backoffice.schedules.models import Firing
from tests.schedules import factories, queued, rounds
from tests.schedules.tasks import PROCESS, TICK
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)
SWEEP = "backoffice.runs.tasks.sweep"


@contextmanager
def beside(work):
    """Another process, near enough: a thread with a connection of its own."""
    thread = threading.Thread(target=lambda: (work(), connection.close()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(20)
        assert not thread.is_alive()


def another_beat():
    scheduler = rounds.beat()
    scheduler.leader.name = "beat@other/1"
    return scheduler


def messages() -> Counter:
    return Counter(message["backoffice-firing"] for message in queued.messages())


class Pause:
    """Stands still in front of a function, in the thread that comes there first."""

    def __init__(self, function):
        self.function, self.there, self.go_on = function, threading.Event(), threading.Event()

    def __call__(self, *args, **kwargs):
        if not self.there.is_set():
            self.there.set()
            assert self.go_on.wait(15)
        return self.function(*args, **kwargs)


@pytest.mark.parametrize("rows", ["quiet", "kept"])
def test_of_two_beats_that_both_believe_they_lead_one_writes_each_decision(rows, clock):
    values = {"task": SWEEP, "queue": "control", "expire_seconds": 5} if rows == "quiet" else {}
    for number in range(40):
        factories.row(f"Row {number}", interval=factories.interval(60), **values)
    beats = [rounds.beat(), rounds.beat()]
    for scheduler in beats:
        scheduler.leader.lead = lambda: True
        rounds.round_of(scheduler)
    for _minute in range(5):
        clock.go(seconds=60)
        both = threading.Barrier(2)

        def fire(scheduler, both=both):
            both.wait(10)
            rounds.round_of(scheduler)

        with beside(lambda: fire(beats[1])):
            fire(beats[0])
    assert set(PeriodicTask.objects.values_list("total_run_count", flat=True)) == {5}
    assert len(queued.messages()) == 200


@pytest.mark.parametrize("where", ["decided", "taken"])
def test_a_leader_that_stands_still_before_it_sends_finds_on_waking_that_it_need_not(where, clock, monkeypatch):
    factories.row()
    first, second = rounds.beat(), another_beat()
    rounds.round_of(first)
    clock.go(seconds=60)
    task = type(current_app.tasks[TICK])
    pause = Pause(publish.send if where == "decided" else task.apply_async)
    monkeypatch.setattr(*((publish, "send") if where == "decided" else (task, "apply_async")), pause)
    if where == "taken":
        monkeypatch.setattr(task, "apply_async", lambda self, *args, **options: pause(self, *args, **options))
    with beside(lambda: rounds.round_of(first)):
        assert pause.there.wait(10)
        clock.go(seconds=20)  # the lease has run out long ago
        for _round in range(3):
            rounds.round_of(second)
            clock.go(seconds=1)
        pause.go_on.set()
    for _round in range(3):
        rounds.round_of(second)
    assert messages() == Counter(Firing.objects.values_list("pk", flat=True))
    assert not Firing.objects.waiting().exists()


def test_a_firing_whose_leader_was_killed_while_it_sent_it_is_left_alone_for_a_while_and_then_sent(clock, monkeypatch):
    factories.row(task="records.tasks.add", args="[2, 3]")
    first, second = rounds.beat(), another_beat()
    rounds.round_of(first)
    clock.go(seconds=60)

    def killed(*args, **options):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(current_app.tasks["records.tasks.add"], "apply_async", killed)
        with pytest.raises(SystemExit):
            rounds.round_of(first)
    clock.go(seconds=20)
    rounds.round_of(second)
    assert queued.messages() == []  # it may be on its way
    clock.go(seconds=15)
    for _round in range(3):
        rounds.round_of(second)
    assert messages() == Counter(Firing.objects.values_list("pk", flat=True))
    assert Firing.objects.get().attempts == 2


@pytest.mark.processes
@pytest.mark.parametrize("task", ["records.tasks.add", PROCESS])  # a record task has a base of its own
def test_of_two_messages_of_one_firing_the_worker_runs_one(task):
    args = "[2, 3]" if task != PROCESS else f"[{factories.partners(1)[0].pk}]"
    row = factories.row(task=task, args=args, enabled=False)
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=row.date_changed)
    asleep = Firing.objects.get()  # what a beat that stood still has in its hands
    assert Firing.objects.take([asleep])
    Firing.objects.update(tried_at=row.date_changed)
    firing.refresh_from_db()
    assert publish.send([(row, firing)])
    publish.hand_over(row, asleep)
    assert messages() == {firing.pk: 2}
    with running_worker() as worker:
        wait_until(lambda: log(worker).count("Another message of firing") == 1, 30)
        wait_until(lambda: log(worker).count("succeeded in") == 1, 30)
    assert Firing.objects.get().taken in (1, 2)


def log(worker) -> str:
    return worker.log.read_text(errors="replace")


def test_a_firing_that_is_held_lets_those_behind_it_pass(clock, monkeypatch):
    row, other = factories.row("Held"), factories.row("Other")
    factories.option(row, overlap="queue")
    factories.option(other)
    values = {"schedule": row, "schedule_name": "Held", "reason": "It waits."}
    Firing.objects.create(**values, due_at=clock.at, state="sent", task_id="at work")
    TaskResult.objects.create(task_id="at work", status="STARTED")
    for _number in range(120):
        clock.go(seconds=1)
        Firing.objects.create(**values, due_at=clock.at)
    passing = Firing.objects.create(schedule=other, schedule_name="Other", due_at=clock.at, reason="Not taken.")
    scheduler = rounds.beat()
    for _round in range(3):
        rounds.round_of(scheduler)
    assert messages()[passing.pk] == 1
