"""A task is called on every page what its code says by `label=`, else the last part of its name in words."""

import re

import pytest
from celery import current_app
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy, override
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from backoffice.runs.labels import choices, task_label
from backoffice.runs.models import RunItem
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.schedules.rules.permitted import START_RUN
from backoffice.schedules.rules.words import over_records
from records.models import YourModel
from tests import factories
from tests.desk.factories import failure, item_result

pytestmark = pytest.mark.django_db
NAME = "records.tasks.process_model_instance"


@pytest.fixture
def run(client):
    """One that has failed, and a schedule, a failed call and a timeline that tell of the same task."""
    boss = factories.user(is_superuser=True)
    client.force_login(boss)
    run = start(YourModel.objects.filter(pk=factories.record().pk), find(NAME), by=boss)
    RunItem.objects.all().delete()
    item_result(run, YourModel.objects.get(), "FAILURE")
    RunItem.objects.update(error="ValueError: no")
    type(run).objects.update(failed=1, succeeded=0, total=2)
    every = IntervalSchedule.objects.create(every=3, period="days")
    PeriodicTask.objects.create(
        name="nightly", task=START_RUN, interval=every, kwargs=f'{{"task": "{NAME}", "model": "records.yourmodel"}}'
    )
    failure("no", task_name=NAME)
    return run


PAGES = {
    "desk": lambda run: reverse("admin:index"),
    "run list": lambda run: reverse("admin:runs_run_changelist"),
    "run": lambda run: reverse("admin:runs_run_change", args=[run.pk]),
    "timeline": lambda run: reverse("admin:records_yourmodel_change", args=[YourModel.objects.get().pk]),
    "failures": lambda run: reverse("admin:desk_failures"),
    "task results": lambda run: reverse("admin:django_celery_results_taskresult_changelist"),
    "task result": lambda run: reverse(
        "admin:desk_taskresult_by_id", args=[run.item_task_id(YourModel.objects.get().pk)]
    ),
    "schedules": lambda run: reverse("admin:django_celery_beat_periodictask_changelist"),
    "schedule form": lambda run: reverse("admin:django_celery_beat_periodictask_add"),
}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_the_label_of_a_task(client, run, page):
    text = strip_tags(client.get(PAGES[page](run), follow=True).content.decode())
    assert re.search(r"\bProcess\b(?! (selected|later|records))", text)
    assert "process model instance" not in text.lower()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (NAME, "Process"),
        ("records.tasks.apply_corrections", "Apply corrections"),
        ("records.tasks.long_running_task", "Try out: take a while"),
        ("gone.tasks.tidy_up", "Tidy up"),
        ("odd.", "odd."),
        ("", ""),
    ],
)
def test_a_label_comes_from_the_code_else_from_the_name(name, label):
    assert task_label(name) == label


def test_any_task_may_have_a_label():
    @current_app.task(name="tests.labelled", label="In plain words")
    def labelled() -> None: ...

    try:
        assert task_label("tests.labelled") == "In plain words"
    finally:
        current_app.tasks.unregister("tests.labelled")


def test_a_schedule_tells_the_words_of_its_filter_and_not_what_is_stored():
    kwargs = {"task": NAME, "model": "records.yourmodel", "selection": "verdict=corrected&country=DE&odd=corrected"}
    said = over_records(kwargs)
    assert said == "Process: records (verdict: correctable, country: DE, odd: corrected)"


def test_a_lazy_label_is_in_the_language_of_the_page(monkeypatch):
    monkeypatch.setattr(find(NAME), "label", gettext_lazy("Yes"), raising=False)
    with override("de"):
        assert task_label(NAME) == "Ja"
    assert task_label(NAME) == "Yes"


def test_tasks_of_one_label_are_told_apart_in_a_choice():
    assert choices(["b.tidy", "a.tidy", "a.add"]) == [
        ("a.add", "Add"),
        ("a.tidy", "Tidy (a.tidy)"),
        ("b.tidy", "Tidy (b.tidy)"),
    ]


def test_a_run_is_written_without_asking_for_its_task(django_assert_num_queries, run):
    run = type(run).objects.get()
    with django_assert_num_queries(0):
        assert str(run) == f"Run {run.pk}"
