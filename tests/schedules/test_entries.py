"""CELERY_BEAT_SCHEDULE as people write it: kept, or refused aloud; edited and removed in code and here."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app, schedules
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Queue

from backoffice.results.models import Activity
from backoffice.schedules import enabling
from backoffice.schedules.beat import configured
from backoffice.schedules.beat.publish import message_options
from backoffice.schedules.models import Configured, Firing, ScheduleState
from backoffice.schedules.rules.timing import crontab_of
from tests.factories import user
from tests.schedules import factories, rounds
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import TICK

pytestmark = pytest.mark.django_db

LIST = "admin:django_celery_beat_periodictask_changelist"
TAKE = "admin:schedules_configured"
SECRET = "tests.schedules.tasks.secret"  # not marked schedulable: the developers' and the superuser's
END = datetime(2035, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def start():
    """Beat starts with these entries in code, under "From code" or names of their own."""
    code = current_app.conf.beat_schedule
    before = dict(code)

    def start(entries: dict[str, Any] | None = None, /, **entry: Any) -> PeriodicTask | None:
        code.clear()
        code.update(entries if entries is not None else {"From code": {"task": TICK, "schedule": 30, **entry}})
        rounds.beat().setup_schedule()
        return PeriodicTask.objects.order_by("pk").first()

    yield start
    code.clear()
    code.update(before)


OPTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "queue": ("control", {"queue": "control"}),
    "priority": (3, {"priority": 3}),
    "expires": (60, {"expires": 60}),
    "expires, as a duration": (timedelta(minutes=2), {"expires": 120}),
    "expires, as a time": (END, {"expires": END}),
    "expire_seconds": (45, {"expires": 45}),
    "headers": ({"tenant": "a"}, {"tenant": "a"}),
    "queue, as an object": (Queue("control"), {"queue": "control"}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_the_entry_is_an_option_of_the_message(name, start):
    given, expected = OPTIONS[name]
    row = start(options={name.split(",")[0]: given})
    row.refresh_from_db()
    options = message_options(row, Firing(schedule=row, due_at=timezone.now()))
    assert expected.items() <= {**options, **options["headers"]}.items()


CRONTABS: dict[str, tuple[Any, str]] = {
    "a number": ({"minute": 5}, "5 * * * *"),
    "zero": ({"minute": 0, "hour": 0}, "0 0 * * *"),
    "a list": ({"minute": [0, 30]}, "0,30 * * * *"),
    "a tuple": ({"hour": (1, 13), "minute": "0"}, "0 1,13 * * *"),
    "a set": ({"minute": {45, 15}}, "15,45 * * * *"),
    "a range": ({"hour": range(9, 12), "minute": 0}, "0 9,10,11 * * *"),
    "a generator of sorts": ({"day_of_month": frozenset({1, 15}), "hour": 2, "minute": 0}, "0 2 1,15 * *"),
    "text": ({"minute": "*/15", "day_of_week": "mon-fri"}, "*/15 * * * mon-fri"),
    "text with spaces": ({"minute": "0, 30"}, "0,30 * * * *"),
    "every minute of a list": ({"minute": list(range(60))}, ",".join(map(str, range(60))) + " * * * *"),
}


@pytest.mark.parametrize("name", CRONTABS)
def test_a_crontab_is_kept_as_celery_reads_it(name, start):
    fields, expected = CRONTABS[name]
    given = schedules.crontab(**fields)
    row = start(schedule=given)
    row.refresh_from_db()
    c = row.crontab
    assert f"{c.minute} {c.hour} {c.day_of_month} {c.month_of_year} {c.day_of_week}" == expected
    kept = crontab_of(row)
    assert (set(kept.minutes), set(kept.hours), set(kept.days), set(kept.months), set(kept.weekdays)) == (
        given.minute, given.hour, given.day_of_month, given.month_of_year, given.day_of_week
    )  # fmt: skip


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a countdown": ({"options": {"countdown": 5}}, "the option “countdown” is not kept: change its timing"),
    "an eta": ({"options": {"eta": END}}, "the option “eta” is not kept"),
    "a routing key": ({"options": {"routing_key": "x"}}, "name a queue"),
    "an exchange": ({"options": {"exchange": "x"}}, "name a queue"),
    "a time limit": ({"options": {"time_limit": 5}}, "set it at the task itself"),
    "half a second": ({"schedule": 0.5}, "whole seconds"),
    "a second and a half": ({"schedule": timedelta(seconds=1, milliseconds=500)}, "whole seconds"),
    "no time at all": ({"schedule": 0}, "out of reach"),
    "a century": ({"schedule": timedelta(days=36500)}, "out of reach"),
    "half a second's life": ({"options": {"expires": 0.5}}, "whole seconds"),
    "relative": ({"schedule": timedelta(minutes=5), "relative": True}, "“relative” is not kept"),
    "a relative schedule": ({"schedule": schedules.schedule(30, relative=True)}, "“relative” is not kept"),
    "an unknown part": ({"retries": 3}, "it has “retries”"),
    "arguments that are no JSON": ({"args": (object(),)}, "its args cannot be written as JSON"),
    "named arguments that are no JSON": ({"kwargs": {"at": END}}, "its kwargs cannot be written as JSON"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_aloud_in_the_log_and_on_the_page(name, start, caplog, admin_client):
    entry, sentence = REFUSED[name]
    assert start(**entry) is None
    assert sentence in caplog.text
    assert "ERROR" in caplog.text
    assert sentence in admin_client.get(reverse(LIST)).content.decode()


def test_refusing_one_stops_no_other(start):
    assert start({"Bad": {"task": SECRET, "schedule": 0.5}, "Good": {"task": SECRET, "schedule": 30}}).name == "Good"


# --- edited and removed -----------------------------------------------------------------------------------------------


def remarks() -> str:
    return " ".join(case.remark for case in configured.cases(current_app))


EDITS = {
    "schedule": {"schedule": schedules.crontab(minute=5)},
    "arguments": {"args": [4]},
    "options": {"options": {"queue": "control", "priority": 2}},
    "task": {"task": SECRET},
    "off": {"enabled": False},
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_in_code_reaches_the_row_that_staff_left_alone(edit, start):
    first = start()
    beat_has_fired = {"last_run_at": timezone.now(), "total_run_count": 7}
    PeriodicTask.objects.update(**beat_has_fired)
    row = start(**EDITS[edit])
    assert row.pk == first.pk
    assert configured.says(PeriodicTask.objects.get(), Configured.objects.get().written)
    assert row.total_run_count == 7
    assert Activity.objects.filter(verb="schedule.changed", actor="beat").count() == 1
    start(**EDITS[edit])
    assert Activity.objects.filter(verb="schedule.changed").count() == 1
    assert remarks().strip() == ""


def by_sam(row: PeriodicTask) -> Any:
    return user(*SCHEDULER, username="sam")


def turned_off(row: PeriodicTask) -> None:
    enabling.turn_off(row, by_sam(row))


def another_argument(row: PeriodicTask) -> None:
    PeriodicTask.objects.filter(pk=row.pk).update(args="[9]")


def renamed(row: PeriodicTask) -> None:
    PeriodicTask.objects.filter(pk=row.pk).update(name="Renamed")


def deleted(row: PeriodicTask) -> None:
    row.delete()


CHANGED = [turned_off, another_argument, renamed, deleted]


def rows() -> list[Any]:
    return list(PeriodicTask.objects.values("name", "args", "enabled", "interval__every"))


@pytest.mark.parametrize("change", CHANGED)
def test_what_staff_changed_stays_and_an_edit_in_code_is_said(change, start, caplog, admin_client):
    change(start())
    before = rows()
    start()
    assert (rows(), remarks().strip()) == (before, "")  # the code is as it was: nothing to decide
    start(schedule=45)
    assert rows() == before
    assert "Take the code's, or leave it." in caplog.text
    assert "Take the code&#x27;s" in admin_client.get(reverse(LIST)).content.decode()
    for row in PeriodicTask.objects.all():
        page = admin_client.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).content.decode()
        assert "Take the code&#x27;s, or leave it." in page
    assert admin_client.post(reverse(TAKE), {"name": "From code"}).status_code == 302
    assert rows() == [{"name": "From code", "args": "[]", "enabled": True, "interval__every": 45}]
    assert remarks().strip() == ""


@pytest.mark.parametrize("change", [None, *CHANGED])
def test_an_entry_removed_from_code_is_gone_where_staff_left_it_alone(change, start, caplog, admin_client):
    row = start()
    if change:
        change(row)
    start({})
    if change in (None, deleted):
        assert not PeriodicTask.objects.exists()
        assert not Configured.objects.exists()
        return
    assert PeriodicTask.objects.count() == 1
    assert "no longer in the code, and goes on" in caplog.text
    assert admin_client.post(reverse(TAKE), {"name": "From code"}).status_code == 302
    assert not PeriodicTask.objects.exists()


def test_a_row_that_beat_turned_off_comes_back_when_its_entry_is_mended(start):
    row = start(options={"priority": 99})
    rounds.round_of(rounds.beat())
    row.refresh_from_db()
    assert (row.enabled, row.state.off_by) == (False, "beat")
    row = start(options={"priority": 9})
    assert (row.enabled, ScheduleState.objects.get().reason) == (True, "")


def test_a_row_of_an_older_version_is_taken_over_where_it_says_the_same(start):
    factories.row("From code", interval=factories.interval(30), queue="")
    start()
    assert Configured.objects.get().schedule is not None
    assert PeriodicTask.objects.count() == 1
    assert not Activity.objects.filter(verb__startswith="schedule").exists()


def test_a_row_of_that_name_that_says_something_else_is_left_alone_and_said(start):
    factories.row("From code", args="[5]")
    start()
    assert PeriodicTask.objects.get().args == "[5]"
    assert "another one here than in the code" in remarks()


def test_a_row_that_cannot_be_read_stops_no_beat(start):
    start(schedule=schedules.crontab(minute=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'Mars/Olympus'")
    start(schedule=schedules.crontab(minute=2))
    assert "another one here" in remarks()


def test_what_staff_save_is_theirs_and_what_is_taken_from_code_is_nobodys(start, admin_user):
    row = start()
    ScheduleState.objects.update_or_create(schedule=row, defaults={"owner": admin_user, "owner_name": "admin"})
    another_argument(row)
    start(schedule=45)
    assert configured.take("From code", admin_user)
    assert ScheduleState.objects.get().owner_id is None


ALL = SCHEDULER


@pytest.mark.parametrize("task", [TICK, SECRET])
@pytest.mark.parametrize("permissions", [(), ("django_celery_beat.view_periodictask",), ALL])
@pytest.mark.parametrize("change", [another_argument, deleted])
def test_only_who_could_do_it_by_hand_takes_the_codes(change, permissions, task, start, client):
    change(start(task=task))
    start(task=task, schedule=45)
    before = rows()
    client.force_login(user(*permissions, username="eve"))
    may = permissions == ALL and task == TICK
    answer = client.post(reverse(TAKE), {"name": "From code"})
    assert answer.status_code == (302 if may else 403)
    assert (rows() != before) is may
    assert client.get(reverse(TAKE)).status_code == 405


@pytest.mark.parametrize("name", ["", "nobody", "From code"])
def test_there_is_nothing_to_take_where_nothing_is_to_be_decided(name, start, admin_client):
    start()
    assert admin_client.post(reverse(TAKE), {"name": name}).status_code == 403


def test_arguments_are_kept_as_written(start):
    row = start(args=(1,), kwargs={})
    assert (json.loads(row.args), json.loads(row.kwargs)) == ([1], {})
