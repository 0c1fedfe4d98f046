"""FAULTS 22: one beat leads among any number, and a kill at any moment loses and repeats no firing."""

from datetime import timedelta

import pytest
from celery import current_app, signals

from backoffice.runs.models import Worker
from backoffice.schedules.beat import publish
from backoffice.schedules.models import Firing, Lease, now
from tests.schedules import factories, queued, rounds
from tests.schedules.rounds import dues
from tests.schedules.tasks import TICK

pytestmark = pytest.mark.django_db


def test_two_beats_fire_once(clock):
    factories.row()
    first, second = rounds.beat(), rounds.beat()
    second.leader.name = "beat@other/1"
    rounds.round_of(first)
    rounds.round_of(second)
    for _ in range(5):
        clock.go(seconds=60)
        rounds.round_of(first)
        rounds.round_of(second)
    assert len(queued.messages()) == Firing.objects.count() == 5
    assert Worker.objects.filter(kind="beat").count() == 2


def test_the_very_first_beat_leads_at_once_however_coarse_the_clock_of_the_database():
    Lease.current()
    Lease.objects.update(until=now() + timedelta(seconds=1))  # as a new row is written in the same millisecond
    assert rounds.beat().leader.lead()


def test_two_beats_that_both_believe_they_lead_fire_once(clock):
    factories.row()
    beats = rounds.beat(), rounds.beat()
    for scheduler in beats:
        scheduler.leader.lead = lambda: True
        rounds.round_of(scheduler)
    for _ in range(3):
        clock.go(seconds=60)
        for scheduler in beats:
            rounds.round_of(scheduler)
    assert len(queued.messages()) == Firing.objects.count() == 3


def test_another_beat_takes_over_when_the_lease_runs_out_and_nothing_is_lost_or_repeated(clock):
    factories.row()
    first, second = rounds.beat(), rounds.beat()
    second.leader.name = "beat@other/1"
    rounds.round_of(first)
    clock.go(seconds=58)
    rounds.round_of(first)
    clock.go(seconds=5)  # the first was killed
    rounds.round_of(second)
    assert dues() == []
    clock.go(seconds=2)
    rounds.round_of(second)
    assert Lease.current().holder == "beat@other/1"
    rounds.round_of(first)
    assert dues() == ["05 12:01"]


def test_a_beat_killed_before_it_published_leaves_a_firing_that_the_next_one_sends(clock, monkeypatch):
    factories.row()
    first = rounds.beat()
    rounds.round_of(first)
    clock.go(seconds=60)
    with monkeypatch.context() as killed:
        killed.setattr(publish, "send", lambda calls: True)  # before a word left
        rounds.round_of(first)
    clock.go(seconds=10)
    second = rounds.beat()
    second.leader.name = "beat@other/1"
    rounds.round_of(second)
    rounds.round_of(second)
    assert len(queued.messages()) == 1


def test_a_beat_killed_after_it_published_is_not_repeated(clock, monkeypatch):
    factories.row()
    first = rounds.beat()
    rounds.round_of(first)
    clock.go(seconds=60)
    rounds.round_of(first)
    Firing.objects.update(state="waiting", sent_at=None)  # killed before it wrote that it had sent
    clock.go(seconds=31)
    second = rounds.beat()
    second.leader.name = "beat@other/1"
    rounds.round_of(second)
    assert len(queued.messages()) == 1
    assert dues() == ["05 12:01"]


def killed_after_publishing(clock):
    """A firing whose message left, by a beat that was killed before it wrote so."""
    rounds.round_of(rounds.beat())
    clock.go(seconds=60)
    rounds.round_of(rounds.beat())
    Firing.objects.update(state="waiting", sent_at=None)
    clock.go(seconds=31)
    second = rounds.beat()
    second.leader.name = "beat@other/1"
    return second


def test_a_message_that_a_worker_took_without_leaving_an_outcome_is_not_repeated(clock):
    factories.row()
    second = killed_after_publishing(clock)
    task, firing = current_app.tasks[TICK], Firing.objects.get()
    current_app.control.purge()
    # What a worker sees, and Celery signals.
    task.push_request(id=firing.task_id, headers={"backoffice-firing": firing.pk, "backoffice-firing-attempt": 1})
    try:
        signals.task_prerun.send(sender=task, task_id=firing.task_id, task=task, args=[], kwargs={})
    finally:
        task.pop_request()
    rounds.round_of(second)
    assert queued.messages() == []
    assert (dues(), Firing.objects.get().attempts) == (["05 12:01"], 1)


def test_a_message_of_a_high_priority_is_found_in_the_list_that_redis_keeps_for_it(clock):
    factories.row(queue="control", priority=3)
    rounds.round_of(killed_after_publishing(clock))
    assert len(queued.messages_of_priority(3)) == 1
    assert dues() == ["05 12:01"]
