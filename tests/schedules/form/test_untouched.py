"""A form writes what a person changed: opened and saved, nothing changes and nothing is logged."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.forms.models import model_to_dict
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from backoffice.results.models import Activity
from backoffice.schedules.form.forms import ScheduleForm
from backoffice.schedules.models import ScheduleState
from tests.factories import user
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.pages.pages import untouched
from tests.schedules.tasks import PROCESS, START_RUN, TICK

pytestmark = pytest.mark.django_db

ODD = datetime(2031, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
RECORDS = {"task": START_RUN, "kwargs": json.dumps({"task": PROCESS, "filter": {"processed": False}})}
TIMINGS: dict[str, Any] = {
    "every minute": lambda: {"interval": factories.interval(60)},
    "every second": lambda: {"interval": factories.interval(1)},
    "more than the form takes": lambda: {"interval": factories.interval(10**7, "seconds")},
    "microseconds": lambda: {"interval": factories.interval(30_000_000, "microseconds")},
    "a crontab": lambda: {"crontab": factories.crontab("5 2 * * 1-5", "Europe/Berlin")},
    "a crontab in Japan": lambda: {"crontab": factories.crontab("5 2 * * *", "Japan")},
    "a crontab in CET": lambda: {"crontab": factories.crontab("5 2 * * *", "CET")},
    "a crontab in EST5EDT": lambda: {"crontab": factories.crontab("5 2 * * *", "EST5EDT")},
    "a crontab with spaces": lambda: {"crontab": CrontabSchedule.objects.create(minute="1, 2", hour=" 3 ")},
    "a crontab that is none": lambda: {"crontab": factories.crontab("61 2 * * *")},
    "the second of two equal ones": lambda: {"crontab": [factories.crontab(), factories.crontab()][1]},
    "once, with seconds": lambda: {"clocked": ClockedSchedule.objects.create(clocked_time=ODD), "one_off": True},
    "once, and over": lambda: {
        "clocked": ClockedSchedule.objects.create(clocked_time=datetime(2020, 1, 1, tzinfo=UTC)), "one_off": True
    },
    "a sunset": lambda: {"solar": SolarSchedule.objects.create(event="sunset", latitude="52.5", longitude="13.4")},
}  # fmt: skip
VALUES: dict[str, dict[str, Any]] = {
    "plain": {},
    "over records": RECORDS,
    "over records, by address": {
        "task": START_RUN, "kwargs": json.dumps({"task": PROCESS, "selection": "q=a b&verdict=valid"})
    },
    "over records that are no more": {"task": START_RUN, "kwargs": '{"task": "records.tasks.gone"}'},
    "by a filter that the form would refuse": {
        "task": START_RUN, "kwargs": json.dumps({"task": PROCESS, "filter": {"name__regex": "x"}})
    },
    "a one-off made in code": {"one_off": True},
    "seconds in start and end": {"start_time": ODD, "expires": ODD + timedelta(days=1)},
    "an end that has passed": {"expires": datetime(2020, 1, 1, 0, 0, 1, tzinfo=UTC)},
    "arguments both ways": {"args": "[1]", "kwargs": '{"n":  1}'},
    "arguments by name": {"kwargs": ' {"n":1}'},
    "arguments that are none": {"args": "{x", "kwargs": "[1]"},
    "a task nobody allowed": {"task": "tests.schedules.tasks.secret"},
    "a task that is gone": {"task": "no.such.task"},
    "a record task by id": {"task": PROCESS, "args": "[7]"},
    "a queue that is gone": {"queue": "email"},
    "a priority of 200": {"priority": 200},
    "exchange and headers": {"exchange": "x", "routing_key": "y", "headers": '{"a":  1}'},
    "headers that are none": {"headers": "[]"},
    "a lifetime": {"expire_seconds": 0},
    "a description of lines": {"description": " one\n\n  two\n"},
    "a name with spaces": {"name": " Row "},
    "off": {"enabled": False},
}  # fmt: skip
CASES = [(timing, "plain") for timing in TIMINGS] + [("a crontab in Japan", value) for value in VALUES]


def everything() -> list[Any]:
    """All that the form could write."""
    models = (PeriodicTask, ScheduleState, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)
    rows = [list(model._default_manager.order_by("pk").values()) for model in models]
    return [rows, Activity.objects.count(), LogEntry.objects.count(), list(PeriodicTasks.objects.values())]


def address(row: PeriodicTask) -> str:
    return reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])


def save(client: Any, row: PeriodicTask, **changes: Any) -> Any:
    sent = untouched(client.get(address(row)).content.decode(), "work")
    return client.post(address(row), {**sent, **changes})


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize(("timing", "value"), CASES)
def test_a_schedule_opened_and_saved_is_as_before_and_nothing_is_logged(timing, value, has_state, admin_client):
    row = PeriodicTask(**{"name": "Row", "task": TICK, **TIMINGS[timing](), **VALUES[value]})
    PeriodicTask.objects.bulk_create([row])  # as SQL would: beat's own save refuses some of them
    if has_state:
        ScheduleState.objects.create(schedule=row, missed="each", overlap="queue", reason="Broken.", off_by="beat")
    row = PeriodicTask.objects.get()
    before = everything()
    answer = save(admin_client, row)
    assert answer.status_code == 302, answer.context["errors"]
    assert everything() == before


def test_a_row_without_a_timing_and_one_with_two_are_opened_and_saved_too(admin_client):
    PeriodicTask.objects.bulk_create([
        PeriodicTask(name="None", task=TICK),
        PeriodicTask(name="Two", task=TICK, interval=factories.interval(), crontab=factories.crontab()),
    ])  # fmt: skip
    before = everything()
    for row in PeriodicTask.objects.all():
        assert save(admin_client, row).status_code == 302
    assert everything() == before


def test_a_time_zone_that_cannot_be_loaded_is_kept(admin_client):
    row = factories.row(crontab=factories.crontab())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'Mars/Olympus'")
    assert save(admin_client, row, description="Not mine").status_code == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT timezone FROM django_celery_beat_crontabschedule")
        assert cursor.fetchone() == ("Mars/Olympus",)
        cursor.execute("SELECT crontab_id, description FROM django_celery_beat_periodictask")
        assert cursor.fetchone()[1] == "Not mine"


CHANGES: dict[str, Any] = {
    "name": "Other",
    "description": "What it is for",
    "enabled": "",
    "priority": "3",
    "start_time": "2031-01-01T10:00:01",
    "expires": "2032-01-01T10:00",
    "expire_seconds": "60",
    "work": TICK,
    "selection": "processed__exact=1",
    "only_needed": "on",
    "missed": "skip",
    "overlap": "allow",
    "queue": "control",
    "crontab_text": "6 2 * * *",
    "zone": "CET",
    "one_off": "on",
    "when": "every",
}
WRITES = {
    "work": {"task", "kwargs"}, "selection": {"kwargs"}, "only_needed": {"kwargs"},
    "missed": set(), "overlap": set(), "crontab_text": {"crontab"},
    "zone": {"crontab"}, "when": {"crontab", "interval"},
}  # fmt: skip


@pytest.mark.parametrize(
    "field", sorted({*ScheduleForm.base_fields} - {"arguments", "parameters", "every", "period", "at"})
)
def test_a_field_that_is_changed_is_written_and_logged_alone(field, admin_client):
    start = timezone.now() + timedelta(days=1, seconds=1)
    row = factories.row(crontab=factories.crontab("5 2 * * *", "Japan"), start_time=start, **RECORDS)
    factories.option(row, missed="each", overlap="queue")
    before = model_to_dict(row)
    extra = {"every": "2", "period": "hours"} if field == "when" else {}
    value = {"zone": "Europe/Rome"}.get(field, CHANGES[field])
    answer = save(admin_client, row, **{field: value}, **extra)
    assert answer.status_code == 302, answer.context["errors"]
    after = model_to_dict(PeriodicTask.objects.get())
    assert {name for name in before if before[name] != after[name]} == WRITES.get(field, {field})
    assert set(Activity.objects.get(verb="schedule.changed").details["changes"]) == {field, *extra}
    state = ScheduleState.objects.get()
    assert (state.missed, state.overlap) == (
        "skip" if field == "missed" else "each",
        "allow" if field == "overlap" else "queue",
    )
    assert state.owner_name == "admin"


def test_every_field_of_the_form_is_in_these_tests():
    assert {*CHANGES, "arguments", "parameters", "every", "period", "at"} == {*ScheduleForm.base_fields}


def test_a_schedule_that_fires_only_once_says_so_and_stays_so(admin_client):
    row = factories.row(one_off=True)
    page = admin_client.get(address(row)).content.decode()
    assert untouched(page, "work")["one_off"] == "on"
    assert (
        "only the first time"
        in admin_client.get(reverse("admin:django_celery_beat_periodictask_changelist")).content.decode()
    )
    save(admin_client, row, description="still once")
    row.refresh_from_db()
    assert row.one_off
    save(admin_client, row, one_off="")
    row.refresh_from_db()
    assert not row.one_off


def test_what_was_once_and_is_every_hour_now_does_not_stop_after_the_first(admin_client):
    row = factories.clocked("Once", ODD)
    assert save(admin_client, row, when="every", every="1", period="hours").status_code == 302
    row.refresh_from_db()
    assert (row.one_off, row.clocked, row.interval.every) == (False, None, 1)


def test_a_description_does_not_move_an_interval_that_has_not_fired(admin_client):
    row = factories.row(interval=factories.interval(10, "days"))
    changed = row.date_changed
    save(admin_client, row, description="x")
    row.refresh_from_db()
    assert row.date_changed == changed


def test_the_preview_of_a_schedule_takes_what_is_stored(admin_client):
    row = factories.row(crontab=factories.crontab("5 2 * * *", "Japan"), queue="email", priority=200)
    sent = untouched(admin_client.get(address(row)).content.decode(), "work")
    answer = admin_client.post(reverse("admin:schedules_preview") + f"?of={row.pk}", sent).json()
    assert answer["errors"] == {}
    assert answer["firings"][0]["local"].endswith("JST")


def test_a_broken_row_is_turned_on_only_when_it_is_whole(admin_client):
    row = factories.row(priority=200, enabled=False)
    assert "priority" in save(admin_client, row, enabled="on").content.decode()
    assert save(admin_client, row, enabled="on", priority="4").status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.priority) == (True, 4)


def test_who_saves_it_may_choose_its_records_for_it_is_theirs_then(client):
    """Else it would be turned off at its next firing."""
    client.force_login(user(*SCHEDULER, "records.process_yourmodel", username="sam"))
    row = factories.nightly()
    assert "Only who may look" in save(client, row, description="mine").content.decode()
    assert save(client, row, selection="", description="mine").status_code == 302
