"""What beat does when the broker takes nothing, late, or without saying so."""

import pytest
from celery import current_app

from backoffice.schedules.models import Firing
from tests.schedules import factories, queued, rounds
from tests.schedules.tasks import TICK

pytestmark = pytest.mark.django_db


def test_a_firing_that_the_broker_did_not_take_is_sent_when_it_is_back(clock, monkeypatch):
    factories.row()
    scheduler = rounds.beat()
    rounds.round_of(scheduler)

    def away(*args, **kwargs):
        raise ConnectionError("Redis is away")

    clock.go(seconds=60)
    with monkeypatch.context() as patch:
        patch.setattr(current_app.tasks[TICK], "apply_async", away)
        rounds.round_of(scheduler)
    waiting = Firing.objects.get()
    assert (waiting.state, "broker could not be reached" in waiting.reason) == ("waiting", True)
    rounds.round_of(scheduler)
    assert len(queued.messages()) == 1
    assert Firing.objects.get().state == "sent"


def test_a_message_whose_answer_from_the_broker_was_lost_is_not_sent_twice(clock):
    factories.row()
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.go(seconds=60)
    rounds.round_of(scheduler)
    Firing.objects.update(
        state="waiting", sent_at=None, tried_at=None, reason="The message broker could not be reached."
    )
    rounds.round_of(scheduler)
    assert len(queued.messages()) == 1
    assert Firing.objects.get().state == "sent"


def test_due_times_during_an_outage_of_the_broker_say_so(clock, monkeypatch):
    factories.row(interval=factories.interval(10))
    scheduler = rounds.beat()
    rounds.round_of(scheduler)

    def frozen(*args, **kwargs):
        clock.go(seconds=25)  # it answers to nobody, and two more due times pass
        raise ConnectionError("Redis is frozen")

    with monkeypatch.context() as patch:
        patch.setattr(current_app.tasks[TICK], "apply_async", frozen)
        clock.go(seconds=10)
        for _ in range(2):
            rounds.round_of(scheduler)
    first, *later = Firing.objects.order_by("due_at")
    assert "broker could not be reached" in first.reason
    assert later
    assert all("broker could not be reached" in firing.reason for firing in later), [f.reason for f in later]


def test_a_row_that_cannot_be_sent_is_turned_off_alone_and_counts_as_no_outage(clock, monkeypatch):
    bad, good = factories.row("Bad", queue="records"), factories.row("Good")
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    send = type(current_app.tasks[TICK]).apply_async

    def choosy(task, *args, **options):
        if options.get("queue") == "records":
            raise TypeError("what verify did not foresee")
        return send(task, *args, **options)

    monkeypatch.setattr(type(current_app.tasks[TICK]), "apply_async", choosy)
    clock.go(seconds=60)
    scheduler.leader.renewed_at = float("-inf")
    scheduler.tick()
    assert [m["periodic_task_name"] for m in queued.messages()] == ["Good"]
    bad.refresh_from_db()
    assert (bad.enabled, bad.state.reason) == (False, "It could not be sent: TypeError: what verify did not foresee")
    assert Firing.objects.get(schedule=bad).state == "skipped"
    assert Firing.objects.get(schedule=good).state == "sent"
