"""A round of very many schedules: quick, written by few statements, the machine's own first."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from backoffice.schedules.beat import claim, publish
from backoffice.schedules.models import Firing, ScheduleState
from tests.factories import user
from tests.schedules import factories, queued, rounds
from tests.schedules.tasks import TICK

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 1_200


def due_at_once(number: int, clock) -> tuple:
    """A beat that has read so many schedules, all of them due."""
    every = factories.interval(3600)
    PeriodicTask.objects.bulk_create(PeriodicTask(name=f"Row {n}", task=TICK, interval=every) for n in range(number))
    scheduler = rounds.beat()
    scheduler.leader.name = "beat@here/1"  # the one before it leads on otherwise
    rounds.round_of(scheduler)
    ScheduleState.objects.update(owner=user(), owner_name="somebody")
    clock.go(hours=1)
    return scheduler


@pytest.mark.slow
def test_a_round_of_1200_schedules_takes_less_than_five_seconds(clock):
    began = time.monotonic()
    scheduler = due_at_once(MANY, clock)
    read = time.monotonic() - began
    began = time.monotonic()
    rounds.round_of(scheduler)
    took = time.monotonic() - began
    print(f"{MANY} schedules read in {read:.2f} s, fired in {took:.2f} s")
    assert Firing.objects.filter(state="sent").count() == len(queued.messages()) == MANY
    assert max(read, took) < 5


def test_firing_another_hundred_costs_a_handful_of_statements(clock):
    numbers = []
    for number in (100, 200):
        scheduler = due_at_once(number, clock)
        with CaptureQueriesContext(connection) as asked:
            rounds.round_of(scheduler)
        assert Firing.objects.filter(state="sent").count() == number
        writes = [q["sql"] for q in asked if q["sql"].startswith(("INSERT", "UPDATE", "BEGIN"))]
        numbers.append((len(asked), len(writes)))
        Firing.objects.all().delete()
        PeriodicTask.objects.all().delete()
    (few, few_writes), (more, more_writes) = numbers
    assert more - few <= 20, numbers
    assert more_writes - few_writes <= 10, numbers


def test_the_sweep_is_sent_before_what_staff_planned_and_again_in_the_middle_when_it_is_due(clock, monkeypatch):
    values = {"task": "backoffice.runs.tasks.sweep", "queue": "control", "expire_seconds": 5}
    scheduler = due_at_once(350, clock)
    factories.row("Sweep", interval=factories.interval(5), **values)
    rounds.round_of(scheduler)  # the hour's, and the sweep is read
    clock.go(hours=1)
    names, write, send = [], claim.claim, publish.hand_over

    def slowly(dues):
        clock.go(seconds=3)
        return write(dues)

    monkeypatch.setattr(claim, "claim", slowly)
    monkeypatch.setattr(publish, "hand_over", lambda row, firing: (names.append(row.name), send(row, firing)))
    rounds.round_of(scheduler)
    assert names[0] == "Sweep"
    assert names.count("Sweep") >= 3
    assert len(names) - names.count("Sweep") == 350
    assert len(names) - 1 - names[::-1].index("Sweep") > 100
