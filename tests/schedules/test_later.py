"""Process later: asked for a time, refused with a sentence, planned once, started by beat's clocked row."""

import json
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run
from backoffice.schedules.models import Firing
from backoffice.schedules.scheduled import start_due
from records.models import YourModel
from tests.factories import user
from tests.schedules import factories, queued, rounds
from tests.schedules.clock import in_hours

pytestmark = pytest.mark.django_db

LIST = "admin:records_yourmodel_changelist"


@pytest.fixture
def operator(client):
    client.force_login(user("records.view_yourmodel", "records.process_yourmodel", username="olga"))
    return client


def ask(client, rows, query="", **extra):
    data = {"action": "process_later", "_selected_action": [row.pk for row in rows], "form_token": "a" * 32, **extra}
    return client.post(reverse(LIST) + query, data)


def test_the_page_asks_for_a_time_and_repeats_the_count(operator):
    page = ask(operator, factories.partners(3)).content.decode()
    assert 'type="datetime-local"' in page
    assert "Time zone: UTC" in page
    assert "Plan the run over 3 records" in page
    assert ">Process<" in page


def test_a_planned_run_has_its_snapshot_and_one_clocked_row_and_starts_when_due(operator):
    rows = factories.partners(3)
    answer = ask(operator, rows[:2], due_at=in_hours(3))
    run = Run.objects.get()
    assert answer.url == reverse("admin:runs_run_change", args=[run.pk])
    assert (run.total, run.activated_at, run.requester_name) == (2, None, "olga")
    row = PeriodicTask.objects.get()
    assert (row.clocked.clocked_time, row.one_off, row.queue, json.loads(row.kwargs)) == (
        run.due_at,
        True,
        "control",
        {"run_id": run.pk},
    )
    assert start_due(run.pk) == f"Started run {run.pk}."
    run.refresh_from_db()
    assert run.activated_at is not None
    assert "before" in start_due(run.pk)


def test_select_all_takes_what_the_filter_matches(operator):
    rows = factories.partners(5)
    YourModel.objects.filter(pk=rows[0].pk).update(processed=True)
    page = ask(operator, rows[:1], "?processed__exact=0", select_across="1").content.decode()
    assert 'name="select_across" value="1"' in page
    ask(operator, rows[:1], "?processed__exact=0", select_across="1", due_at=in_hours(1))
    assert Run.objects.get().total == 4


def test_a_doubled_post_makes_one_run(operator):
    rows = factories.partners(2)
    due_at = in_hours(1)
    urls = {ask(operator, rows, due_at=due_at).url for _ in range(3)}
    assert len(urls) == Run.objects.count() == PeriodicTask.objects.count() == 1


@pytest.mark.parametrize(
    ("due_at", "sentence"),
    [
        ("2020-01-01T10:00", "This time has passed"),
        ("", "Choose a date and a time"),
        ("soon", "Write the date and time"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_a_sentence(due_at, sentence, operator):
    assert sentence in ask(operator, factories.partners(2), due_at=due_at).content.decode()
    assert not Run.objects.exists()


def test_without_the_permission_the_action_does_not_exist(client):
    client.force_login(user("records.view_yourmodel", username="val"))
    ask(client, factories.partners(2), due_at=in_hours(1))
    assert not Run.objects.exists()


def test_an_empty_selection_is_said_and_plans_nothing(operator):
    rows = factories.partners(1)
    YourModel.objects.all().delete()
    answer = ask(operator, rows, due_at=in_hours(1))
    assert not Run.objects.exists()
    assert not PeriodicTask.objects.exists()
    assert answer.status_code in (200, 302)


def test_beat_starts_the_planned_run_at_its_time(operator, clock):
    clock.at = timezone.now()
    ask(operator, factories.partners(2), due_at=in_hours(1))
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    assert queued.messages() == []
    clock.go(hours=1, seconds=1)
    rounds.round_of(scheduler)
    assert [m["task"] for m in queued.messages()] == ["backoffice.schedules.tasks.start_due_run"]
    assert not PeriodicTask.objects.get().enabled


@pytest.mark.parametrize("value", ["1", None, True, 1.5])
def test_an_id_that_is_no_number_is_refused_with_a_sentence(value):
    with pytest.raises(ValueError, match="run_id must be a number"):
        start_due(value)


def test_an_id_that_is_absent_is_answered():
    assert "was started, cancelled or deleted before" in start_due(2**40)


def test_the_time_offered_is_in_an_hour(operator):
    page = ask(operator, factories.partners(1)).content.decode()
    assert f"{timezone.localtime() + timedelta(hours=1):%Y-%m-%dT%H:}" in page


def test_the_name_of_its_schedule_is_a_code_which_pages_tell_in_words(operator, client):
    ask(operator, factories.partners(1), due_at=in_hours(3))
    run, row = Run.objects.get(), PeriodicTask.objects.get()
    assert row.name == f"start-run-{run.pk}"
    Firing.objects.create(schedule=row, schedule_name=row.name, due_at=run.due_at)
    client.force_login(user(is_superuser=True, username="boss"))
    for page in ("django_celery_beat_periodictask", "schedules_firing"):
        text = client.get(reverse(f"admin:{page}_changelist")).text
        assert f"Start run {run.pk}" in text, page
        assert row.name not in text
    migration = import_module("backoffice.schedules.migrations.0008_names_of_planned_runs_by_code")
    for rename, name in ((migration.as_words, f"Start run {run.pk}"), (migration.as_codes, row.name)):
        rename(apps, None)
        assert set(PeriodicTask.objects.values_list("name")) | set(Firing.objects.values_list("schedule_name")) == {
            (name,)
        }
