"""Beat and staff as PostgreSQL's deadlock victims: asked again, and each firing is written and sent once."""

from collections import Counter

import pytest
from celery import current_app

from backoffice.results.models import Activity
from backoffice.schedules import enabling
from backoffice.schedules.beat import fire
from backoffice.schedules.models import Firing
from tests.runs.deadlocks import strikes
from tests.schedules import factories, queued, rounds

pytestmark = pytest.mark.django_db(transaction=True)


def messages() -> Counter[int]:
    return Counter(message["backoffice-firing"] for message in queued.messages())


def test_a_round_of_beat_decides_and_sends_once(clock):
    for strike in strikes():
        current_app.backend.client.flushall()
        Firing.objects.all().delete()
        row = factories.row(f"Row {clock.at:%H%M%S}", task="records.tasks.add", args="[2, 3]")
        scheduler = rounds.beat()
        rounds.round_of(scheduler)
        clock.go(seconds=60)
        with strike:
            rounds.round_of(scheduler)
        rounds.round_of(scheduler)  # beat's own next try, where it was no decision that was struck
        [firing] = Firing.objects.all()
        assert (firing.state, firing.attempts, messages()) == ("sent", 1, {firing.pk: 1})
        row.delete()
        clock.go(seconds=10)


def test_a_firing_by_hand_is_one():
    row = factories.row(task="records.tasks.add", args="[2, 3]")
    for strike in strikes():
        current_app.backend.client.flushall()
        with strike:
            firing = fire.run_now(row, "somebody")
        assert messages() == {firing.pk: 1}


@pytest.mark.parametrize("verb", [enabling.turn_off, enabling.enable])
def test_a_switch_is_turned_and_logged_once(verb):
    on = verb is enabling.enable
    row = factories.row()
    for strike in strikes():
        type(row).objects.update(enabled=not on)
        before = Activity.objects.count()
        with strike:
            assert verb(row, "somebody")
        row.refresh_from_db()
        assert (row.enabled, Activity.objects.count() - before) == (on, 1)
