"""A schedule that works on the records that need it alone."""

import json

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run
from backoffice.schedules.form.forms import ScheduleForm
from backoffice.schedules.rules import permitted, words
from backoffice.schedules.rules.verify import BadSchedule, verify_parameters
from backoffice.schedules.scheduled import start_run
from backoffice.testing import work_off
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
PROCESS, CORRECT = "records.tasks.process_model_instance", "records.tasks.withdraw_acceptance"
GOOD = {
    "name": "Nightly", "work": f"records:{PROCESS}", "selection": "", "only_needed": "on", "enabled": "on",
    "when": "crontab", "crontab_text": "0 2 * * *", "zone": "UTC", "missed": "once", "overlap": "skip",
}  # fmt: skip


@pytest.fixture
def scheduler(client):
    client.user = factories.member("Scheduler")
    client.force_login(client.user)
    return client


def test_the_form_keeps_it_shows_it_again_and_tells_it_in_words(scheduler):
    scheduler.post(reverse("admin:django_celery_beat_periodictask_add"), GOOD)
    made = PeriodicTask.objects.get(name="Nightly")
    assert json.loads(made.kwargs) == {"task": PROCESS, "only_needed": True}
    assert words.what(made) == "Process: records (all; only those that need it)"
    assert ScheduleForm(instance=made)["only_needed"].value() is True
    page = reverse("admin:django_celery_beat_periodictask_change", args=[made.pk])
    scheduler.post(page, {name: value for name, value in GOOD.items() if name != "only_needed"})
    made.refresh_from_db()
    assert json.loads(made.kwargs) == {"task": PROCESS}


def test_the_preview_says_how_many_match_and_how_many_need_it(scheduler):
    for _ in range(3):
        factories.processed()
    answer = scheduler.post(reverse("admin:schedules_preview"), GOOD).json()
    assert answer["matching"].startswith("3 records match now: ")
    assert "0 of them need it." in answer["matching"]
    factories.record()
    assert "1 of them needs it." in scheduler.post(reverse("admin:schedules_preview"), GOOD).json()["matching"]


def test_a_firing_works_on_those_that_need_it_and_on_none_if_none_does():
    factories.processed()
    made = factories.record()
    chosen = {"only_needed": True}
    start_run(PROCESS, chosen, schedule_name="Nightly", firing_id=None)
    run = work_off(Run.objects.get())
    assert [each.record_id for each in run.outcomes()] == [made.pk]
    said = start_run(PROCESS, chosen, schedule_name="Nightly", firing_id=None)
    assert said == "All 2 selected records were skipped: 2 not in need of it."


def test_a_task_that_does_not_say_it_is_refused_with_a_sentence():
    kwargs = json.dumps({"task": CORRECT, "only_needed": True})
    with pytest.raises(BadSchedule, match="“Withdraw acceptance” does not say which records need it"):
        verify_parameters(PeriodicTask(name="x", task=permitted.START_RUN, kwargs=kwargs))


def test_the_nightly_schedule_filters_nothing_else():
    from django.conf import settings

    [nightly] = [each for each in json.loads((settings.BASE_DIR / "fixtures/schedules.json").read_text())
                 if each["key"] == "nightly"]  # fmt: skip
    assert nightly["kwargs"] == {"task": PROCESS, "only_needed": True}
