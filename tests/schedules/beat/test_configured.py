"""Schedules that developers write in code: CELERY_BEAT_SCHEDULE, add_periodic_task, and rows by the ORM."""

from datetime import timedelta

import pytest
from celery import current_app, schedules
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.factories import user
from tests.schedules import queued, rounds
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import TICK

pytestmark = pytest.mark.django_db

SECRET = "tests.schedules.tasks.secret"  # not marked schedulable
LIST = "admin:django_celery_beat_periodictask_changelist"


@pytest.fixture
def configured(monkeypatch):
    entry = {"task": SECRET, "schedule": 30.0, "options": {"queue": "control"}}
    monkeypatch.setitem(current_app.conf.beat_schedule, "From code", entry)
    rounds.beat().setup_schedule()
    return PeriodicTask.objects.get()


def test_an_entry_of_the_configuration_fires_though_staff_may_not_schedule_its_task(configured, clock):
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.go(seconds=31)
    rounds.round_of(scheduler)
    assert [m["task"] for m in queued.messages()] == [SECRET]


@pytest.mark.parametrize(("who", "is_left_on"), [("scheduler", True), ("superuser", False)])
def test_an_entry_of_the_configuration_is_turned_off_by_a_superuser_alone(
    who, is_left_on, configured, client, admin_user
):
    client.force_login(user(*SCHEDULER, username="sam") if who == "scheduler" else admin_user)
    data = {"action": "disable_selected", "_selected_action": [configured.pk], "confirmed": "1"}
    client.post(reverse(LIST), data)
    configured.refresh_from_db()
    assert configured.enabled is is_left_on


class Never(schedules.BaseSchedule):
    """A timing of a kind that beat's tables cannot hold."""

    def remaining_estimate(self, last_run_at):
        return timedelta(days=1)


def test_an_entry_that_the_tables_cannot_hold_is_logged_and_stops_no_other(monkeypatch, caplog):
    entries = {
        "Odd": {"task": SECRET, "schedule": Never()},
        "x" * 300: {"task": SECRET, "schedule": Never()},
        "Good": {"task": SECRET, "schedule": 30.0},
    }
    for name, entry in entries.items():
        monkeypatch.setitem(current_app.conf.beat_schedule, name, entry)
    rounds.beat().setup_schedule()
    assert list(PeriodicTask.objects.values_list("name", flat=True)) == ["Good"]
    assert (
        "The entry 'Odd' of CELERY_BEAT_SCHEDULE: It does not run as written in code: a timing of the kind"
        in caplog.text
    )


def test_a_row_made_as_guides_show_it_fires_and_one_whose_task_is_not_allowed_says_what_to_do(clock, caplog):
    every, _created = IntervalSchedule.objects.get_or_create(every=10, period=IntervalSchedule.SECONDS)
    for name, task in (("Allowed", TICK), ("Not allowed", SECRET)):
        PeriodicTask.objects.create(interval=every, name=name, task=task)
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.go(seconds=11)
    rounds.round_of(scheduler)
    assert [m["periodic_task_name"] for m in queued.messages()] == ["Allowed"]
    reason = PeriodicTask.objects.get(name="Not allowed").state.reason
    assert "@shared_task(schedulable=True)" in reason
    assert "Schedule 'Not allowed'" in caplog.text
