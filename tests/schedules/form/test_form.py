"""The schedule form: what it refuses, with which sentence, and that what it accepts can be fired."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.results.models import Activity
from backoffice.runs.start import start
from backoffice.schedules.form.forms import ScheduleForm
from backoffice.schedules.pages import history
from backoffice.schedules.rules import selection
from backoffice.schedules.rules.verify import verify
from records.models import YourModel
from tests.factories import user
from tests.properties import tries
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import PROCESS, START_RUN, TICK

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WORK = f"records:{PROCESS}"
GOOD = {
    "name": "Nightly",
    "work": WORK,
    "selection": "processed__exact=0",
    "enabled": "on",
    "when": "crontab",
    "crontab_text": "0 2 * * *",
    "zone": "Europe/Berlin",
    "missed": "once",
    "overlap": "skip",
}
ADD = "admin:django_celery_beat_periodictask_add"


@pytest.fixture
def scheduler_client(client):
    client.force_login(user(*SCHEDULER, "records.process_yourmodel", "records.view_yourmodel", username="sam"))
    return client


def errors(**changes) -> str:
    form = ScheduleForm({**GOOD, **changes})
    form.is_valid()
    return json.dumps(form.errors, default=str, ensure_ascii=False)


def test_a_filled_form_makes_the_row_its_options_and_a_log_entry(scheduler_client):
    answer = scheduler_client.post(reverse(ADD), GOOD)
    assert answer.status_code == 302, answer.context["errors"]
    row = PeriodicTask.objects.get()
    assert (row.task, json.loads(row.kwargs)) == (
        START_RUN,
        {"task": PROCESS, "selection": "processed__exact=0"},
    )
    assert (row.crontab.hour, str(row.crontab.timezone), row.headers, row.args) == ("2", "Europe/Berlin", "{}", "[]")
    assert (row.state.missed, row.state.overlap) == ("once", "skip")
    assert Activity.objects.filter(verb="schedule.added", actor="sam", object_id=str(row.pk)).exists()


REFUSALS = {
    "31 February": ({"crontab_text": "0 0 31 2 *"}, "crontab_text", "crontab"),
    "30 February": ({"crontab_text": "0 0 30 2 *"}, "crontab_text", "crontab"),
    "day of week 7": ({"crontab_text": "0 0 * * 7"}, "crontab_text", "cannot be read"),
    "minute 61": ({"crontab_text": "61 0 * * *"}, "crontab_text", "cannot be read"),
    "four parts": ({"crontab_text": "0 0 * *"}, "crontab_text", "five parts"),
    "no crontab": ({"crontab_text": ""}, "crontab_text", "five parts"),
    "an unknown zone": ({"zone": "Mars/Olympus"}, "zone", "Select a valid choice"),
    "every 5 seconds": ({"when": "every", "every": "5", "period": "seconds"}, "every", "shortest interval is 10"),
    "every 0 minutes": ({"when": "every", "every": "0", "period": "minutes"}, "every", "greater than or equal to 1"),
    "every nothing": ({"when": "every", "period": "minutes"}, "every", "Say how often"),
    "once, never": ({"when": "once"}, "at", "Choose a date"),
    "once, in the past": ({"when": "once", "at": "2020-01-01T10:00"}, "at", "has passed"),
    "an unknown task": ({"work": "no.such.task"}, "work", "Select a valid choice"),
    "a task not allowed": ({"work": "tests.schedules.tasks.secret"}, "work", "Select a valid choice"),
    "the sweep": ({"work": "backoffice.runs.tasks.sweep"}, "work", "Select a valid choice"),
    "an unknown filter": ({"selection": "nope__exact=1"}, "selection", "does not know this filter"),
    "arguments that are not JSON": ({"work": TICK, "arguments": "{x"}, "arguments", "not JSON"),
    "arguments of the wrong kind": ({"work": TICK, "arguments": "5"}, "arguments", "Write"),
    "arguments that do not fit": ({"work": TICK, "arguments": '{"x": 1}'}, "work", "do not fit"),
    "arguments too deep": ({"work": TICK, "arguments": "[" * 100_000}, "arguments", "not JSON"),
    "a null character in the search": ({"selection": "q=%00"}, "selection", "null character"),
    "an end that has passed": ({"expires": "2020-01-01T10:00"}, "expires", "would never fire"),
    "an end before its beginning": (
        {"start_time": "2050-01-01T10:00", "expires": "2040-01-01T10:00"},
        "expires",
        "would never fire",
    ),
    "a beginning at the end of time": ({"start_time": "9999-12-31T23:59"}, "start_time", "would never fire"),
    "a lifetime beyond all dates": ({"expire_seconds": "2000000000"}, "expire_seconds", "more than a year"),
    "an unknown queue": ({"queue": "nowhere"}, "queue", "Select a valid choice"),
    "a priority of 10": ({"priority": "10"}, "priority", "less than or equal to 9"),
    "two ends": ({"expires": "2040-01-01T10:00", "expire_seconds": "5"}, "expire_seconds", "not both"),
}


if connection.vendor == "sqlite":  # for PostgreSQL it is a number like any other, and matches nothing
    REFUSALS["a number too large"] = ({"selection": f"id__in={10**30}"}, "selection", "does not fit")


@pytest.mark.parametrize("name", REFUSALS)
def test_the_form_refuses_what_beat_could_not_use(name):
    changes, field, sentence = REFUSALS[name]
    form = ScheduleForm({**GOOD, **changes})
    assert not form.is_valid()
    assert sentence in " ".join(form.errors.get(field, []))


def test_a_half_typed_crontab_is_said_once_in_our_words_and_the_preview_goes_on(scheduler_client):
    half = {**GOOD, "crontab_text": "0 2 * *"}
    page = scheduler_client.post(reverse(ADD), half).content.decode()
    assert "five parts" in page
    assert "must be set" not in page  # beat's own
    answer = scheduler_client.post(reverse("admin:schedules_preview"), half)
    assert "five parts" in answer.json()["errors"]["crontab_text"][0]


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("http://here/admin/records/yourmodel/?processed__exact=0&p=3", "processed__exact=0"),
        ("/admin/records/yourmodel/?q=why?", "q=why%3F"),
        ("?role=buyer", "role=buyer"),
        ("q=why?", "q=why%3F"),
        ("http://here/admin/records/yourmodel/", ""),
    ],
)
def test_whatever_part_of_an_address_is_pasted_its_filter_is_kept(pasted, kept):
    assert selection.clean_query(pasted) == kept


def test_headers_exchange_and_routing_key_are_not_offered(scheduler_client):
    page = scheduler_client.get(reverse(ADD)).content.decode()
    for name in ("headers", "exchange", "routing_key", "regtask", "kwargs"):
        assert f'name="{name}"' not in page
    scheduler_client.post(reverse(ADD), {**GOOD, "headers": "[]", "exchange": "x", "routing_key": "y"})
    row = PeriodicTask.objects.get()
    assert (row.headers, row.exchange, row.routing_key) == ("{}", None, None)


def test_only_tasks_that_the_person_could_start_are_offered_and_accepted(client):
    client.force_login(user(*SCHEDULER, username="kim"))
    assert WORK not in client.get(reverse(ADD)).content.decode()
    answer = client.post(reverse(ADD), GOOD)
    assert "Select a valid choice" in answer.content.decode()
    assert not PeriodicTask.objects.exists()


def test_an_edit_is_logged_with_before_and_after_and_shares_no_timing(scheduler_client):
    other = factories.row("Other", crontab=factories.crontab("0 2 * * *"))
    row = factories.row("Nightly", task=START_RUN, kwargs=json.dumps({"task": PROCESS}), crontab=other.crontab)
    url = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    answer = scheduler_client.post(url, {**GOOD, "zone": "UTC", "crontab_text": "30 4 * * *"})
    assert answer.status_code == 302
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.crontab.hour, other.crontab.hour) == ("4", "2")
    details = Activity.objects.get(verb="schedule.changed").details
    assert details["changes"]["crontab_text"] == ["0 2 * * *", "30 4 * * *"]


def test_saving_the_form_leaves_what_beat_counted_meanwhile(scheduler_client):
    row = factories.row("Busy")
    url = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    data = {**GOOD, "name": "Busy", "work": TICK, "when": "every", "every": "5", "period": "minutes"}
    form = ScheduleForm(data, instance=PeriodicTask.objects.get())
    assert form.is_valid()
    PeriodicTask.objects.update(total_run_count=7, last_run_at=timezone.now())
    history.save_with_log(form.save(commit=False), form, True, "sam")
    row.refresh_from_db()
    assert (row.total_run_count, row.interval.every, row.last_run_at is None) == (7, 5, False)
    assert scheduler_client.get(url).status_code == 200


def test_the_form_can_be_opened_with_what_to_do_filled_in(scheduler_client):
    page = scheduler_client.get(reverse(ADD), {"work": WORK, "selection": "verdict__exact=invalid"}).content.decode()
    assert f'<option value="{WORK}" selected>' in page
    assert 'value="verdict__exact=invalid"' in page


def test_a_row_spoilt_by_sql_can_be_repaired_in_the_form(scheduler_client):
    row = factories.row("Spoilt", headers="[]", enabled=False)
    url = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    answer = scheduler_client.post(
        url, {**GOOD, "name": "Spoilt", "work": TICK, "when": "every", "every": "5", "period": "minutes"}
    )
    assert answer.status_code == 302
    row.refresh_from_db()
    verify(row)
    assert (row.enabled, row.interval.every) == (True, 5)


def test_the_preview_says_when_in_words_and_lists_ten_firings_with_the_clock_change(scheduler_client, clock):
    clock.set("2026-03-26 12:00:00")
    factories.partners(4)
    answer = scheduler_client.post(reverse("admin:schedules_preview"), {**GOOD, "crontab_text": "30 2 * * *"}).json()
    assert "02:30" in answer["sentence"]
    assert answer["matching"] == "4 records match now: processed: no. 4 of them need it."
    assert len(answer["firings"]) == 10
    assert answer["firings"][2] == {
        "at": "2026-03-29T01:30:00+00:00",
        "local": "Sun 2026-03-29 03:30:00 CEST",
        "utc": "2026-03-29 01:30:00 UTC",
        "remark": "moved: this hour does not exist on that day",
    }


def test_the_preview_of_a_schedule_that_is_off_promises_no_firing(scheduler_client):
    answer = scheduler_client.post(
        reverse("admin:schedules_preview"), {name: value for name, value in GOOD.items() if name != "enabled"}
    ).json()
    assert (answer["firings"], "It is off: it does not fire." in answer["sentence"]) == ([], True)


def test_the_preview_says_which_records_a_run_would_skip_as_the_click_does(scheduler_client):
    factories.partners(4)
    start(YourModel.objects.all()[:1], "process_model_instance")
    answer = scheduler_client.post(reverse("admin:schedules_preview"), GOOD).json()
    assert (
        answer["matching"]
        == "4 records match now: processed: no. 3 of them need it. Skipped: 1 already in an active run."
    )


def test_the_preview_is_for_those_who_may_change_schedules(client):
    client.force_login(user("django_celery_beat.view_periodictask", username="val"))
    assert client.post(reverse("admin:schedules_preview"), GOOD).status_code == 403


parts = st.text("0123456789*,-/ L", min_size=1, max_size=5) | st.sampled_from(["*", "*/5", "1-5", "0", "31", "2"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(150), deadline=None)
@given(
    crontab=st.lists(parts, min_size=5, max_size=5).map(" ".join),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
    when=st.sampled_from(["crontab", "every"]),
    every=st.integers(-2, 10**6),
    period=st.sampled_from(["seconds", "minutes", "hours", "days"]),
)
def test_whatever_the_form_accepts_celery_parses(crontab, zone, when, every, period):
    form = ScheduleForm({**GOOD, "crontab_text": crontab, "zone": zone, "when": when, "every": every, "period": period})
    if not form.is_valid():
        return
    row = form.instance
    row.last_run_at = timezone.now() - timedelta(days=1)
    verify(row)
    due, seconds = ModelEntry(row).is_due()
    assert due in (True, False)
    assert seconds >= 0
