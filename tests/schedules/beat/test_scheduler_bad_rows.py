"""FAULTS 23: every bad row known is turned off alone, with the reason; the others go on."""

import json

import pytest
from django.db import connection
from django_celery_beat.models import PeriodicTask, SolarSchedule

from backoffice.results.models import Activity
from backoffice.runs.models import Worker
from backoffice.schedules.models import ScheduleState
from tests.schedules import factories, queued, rounds
from tests.schedules.factories import UNFIT
from tests.schedules.tasks import PROCESS, START_RUN

pytestmark = pytest.mark.django_db

BAD_COLUMNS = {
    "headers []": ({"headers": "[]"}, "headers must be of the form"),
    "headers 5": ({"headers": "5"}, "headers must be of the form"),
    "headers null": ({"headers": "null"}, "headers must be of the form"),
    "headers not JSON": ({"headers": "{nope"}, "headers are not JSON"),
    "kwargs [1]": ({"kwargs": "[1]"}, "keyword arguments must be of the form"),
    "kwargs not JSON": ({"kwargs": "nope"}, "keyword arguments are not JSON"),
    "args {}": ({"args": "{}"}, "positional arguments must be of the form"),
    "a header that names another task": (
        {"headers": '{"task": "tests.schedules.tasks.secret"}'},
        "may not set what Celery or the back office sets: task",
    ),
    "headers that make it a run's message": ({"headers": '{"backoffice-chunk": 5}'}, "sets: backoffice-chunk"),
    "a lifetime beyond all dates": ({"expire_seconds": 2_000_000_000}, "more than a year"),
    "a value that the database cannot take": (
        {"task": START_RUN, "kwargs": json.dumps({"task": PROCESS, "filter": UNFIT})},
        "value that does not fit",
    ),
    "too many arguments": ({"args": "[1, 2, 3]"}, "arguments do not fit"),
    "an unknown argument": ({"kwargs": '{"x": 1}'}, "arguments do not fit"),
    "a task that does not exist": ({"task": "no.such.task"}, "There is no task called"),
    "a task that is not allowed": (
        {"task": "tests.schedules.tasks.secret"},
        "not one of those that may be scheduled",
    ),
    "an unknown queue": ({"queue": "nowhere"}, "There is no queue"),
    "an exchange": ({"exchange": "amq.direct"}, "Exchange and routing key"),
    "a priority of 200": ({"priority": 200}, "priority must lie between"),
    "two ends": ({"expires": "2040-01-01 00:00:00+00:00", "expire_seconds": 5}, "not both"),
    "no timing": ({"interval_id": None}, "exactly one of"),
    "an end that has passed": ({"expires": "2020-01-01 00:00:00+00:00"}, "end has passed"),
    "an unknown record task": ({"task": START_RUN, "kwargs": '{"task": "nope"}'}, "no record task called"),
    "a filter on an unknown field": (
        {
            "task": START_RUN,
            "kwargs": '{"task": "records.tasks.process_model_instance", "filter": {"nope": 1}}',
        },
        "has no field",
    ),
}


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_a_bad_row_is_turned_off_alone_with_its_reason(name, clock):
    columns, reason = BAD_COLUMNS[name]
    good, bad = factories.row("Good"), factories.row("Bad")
    PeriodicTask.objects.filter(pk=bad.pk).update(**columns)
    is_turned_off_and_the_other_fires(good, bad, reason, clock)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 0 31 2 *", "crontab"),
        ("0 0 30 2 *", "crontab"),
        ("0 0 * * 7", "crontab cannot be read"),
        ("61 0 * * *", "crontab cannot be read"),
        ("*/0 * * * *", "crontab cannot be read"),
        ("x * * * *", "crontab cannot be read"),
    ],
)
def test_a_crontab_that_never_fires_or_cannot_be_read_is_turned_off(text, reason, clock):
    is_turned_off_and_the_other_fires(
        factories.row("Good"), factories.row("Bad", crontab=factories.crontab(text)), reason, clock
    )


@pytest.mark.parametrize(("every", "period"), [(0, "seconds"), (-1, "days"), (5, "microseconds"), (1, "fortnights")])
def test_an_interval_of_nothing_is_turned_off(every, period, clock):
    bad = factories.row("Bad", interval=factories.interval(every, period))
    is_turned_off_and_the_other_fires(factories.row("Good"), bad, "interval", clock)


def test_a_solar_event_without_ephem_is_turned_off(clock):
    solar = SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13)
    is_turned_off_and_the_other_fires(factories.row("Good"), factories.row("Bad", solar=solar), "ephem", clock)


def test_a_time_zone_that_django_cannot_load_is_turned_off(clock):
    good, bad = factories.row("Good"), factories.row("Bad", crontab=factories.crontab())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'Mars/Olympus'")
    is_turned_off_and_the_other_fires(good, bad, "Mars/Olympus", clock)


def is_turned_off_and_the_other_fires(good, bad, reason, clock):
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    assert not PeriodicTask.objects.values_list("enabled", flat=True).get(pk=bad.pk)
    assert reason in ScheduleState.objects.get(pk=bad.pk).reason
    assert Activity.objects.filter(verb="schedule.disabled", object_id=str(bad.pk), actor="beat").count() == 1
    clock.go(seconds=61)
    rounds.round_of(scheduler)
    assert [m["periodic_task_name"] for m in queued.messages()] == ["Good"]


def test_beat_survives_a_database_that_does_not_answer(monkeypatch):
    from django.db import OperationalError

    scheduler = rounds.beat()

    def away():
        raise OperationalError("database is locked")

    monkeypatch.setattr(scheduler.leader, "report", away)
    assert scheduler.tick() == 1.0
    monkeypatch.undo()
    assert scheduler.tick() <= 1.0


def test_a_signal_in_the_middle_of_a_round_touches_no_database(django_assert_num_queries):
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    scheduler.in_round = True  # Celery's handler calls close() wherever the signal finds it
    with django_assert_num_queries(0):
        scheduler.close()
    scheduler.in_round = False
    scheduler.close()
    assert not Worker.objects.filter(kind="beat").exists()
