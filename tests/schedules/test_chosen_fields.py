"""A schedule whose task lets people choose: by ticks beside the inputs, or by what a form begins with."""

import json
import re

import pytest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run
from backoffice.schedules.rules import permitted, words
from backoffice.schedules.scheduled import start_run
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories as made
from tests.freight.factories import shipment
from tests.freight.models import Shipment
from tests.schedules import factories
from tests.schedules.factories import SCHEDULER
from tests.schedules.pages.pages import untouched

pytestmark = pytest.mark.django_db(transaction=True)
EDIT, CORRECT = "tests.freight.tasks.edit_shipment", "records.tasks.apply_corrections"
ADD = "admin:django_celery_beat_periodictask_add"
GOOD = {
    "name": "Nightly", "work": f"records:{EDIT}", "selection": "", "enabled": "on", "when": "crontab",
    "crontab_text": "0 2 * * *", "zone": "UTC", "missed": "once", "overlap": "skip", "asked_of": EDIT,
    "set-carrier": "", "set-weight": "7", "set-due": "", "set-picked_up": "", "set-fragile": "",
    "set-contact": "a@b.cc",
}  # fmt: skip


@pytest.fixture
def clerk(client):
    needed = ("freight.view_shipment", "freight.change_shipment", "records.view_yourmodel")
    client.force_login(made.user(*SCHEDULER, *needed, "records.apply_corrections_yourmodel", username="clerk"))
    return client


def page(schedule) -> str:
    return reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])


def ticked(html: str) -> list[str]:
    return re.findall(r'name="given" value="(\w+)"[^>]* checked>', html)


def stored(task: str, parameters: dict) -> PeriodicTask:
    kwargs = json.dumps({"task": task, "parameters": parameters})
    return factories.row("Nightly", task=permitted.START_RUN, kwargs=kwargs, crontab=factories.crontab())


def test_what_is_ticked_is_kept_and_set_at_each_firing(clerk):
    row = shipment()
    assert clerk.post(reverse(ADD), {**GOOD, "given": ["contact", "due"]}).status_code == 302
    schedule = PeriodicTask.objects.get()
    kept = json.loads(schedule.kwargs)["parameters"]
    assert kept == {"contact": "a@b.cc", "due": ""}
    assert "Due: empty; Contact: a@b.cc" in words.what(schedule)
    start_run(EDIT, {"selection": ""}, kept, schedule_name="Nightly", firing_id=None)
    work_off(Run.objects.get())
    assert Shipment.objects.values_list("contact", "weight").get() == ("a@b.cc", row.weight)


def test_who_ticks_nothing_is_told(clerk):
    html = clerk.post(reverse(ADD), GOOD).content.decode()
    assert "Choose at least one field." in html
    assert not PeriodicTask.objects.exists()


def test_its_page_has_the_ticks_and_another_tick_is_a_change(clerk):
    schedule = stored(EDIT, {"contact": "a@b.cc"})
    html = clerk.get(page(schedule)).content.decode()
    assert ticked(html) == ["contact"]
    sent = untouched(html, "work")
    assert clerk.post(page(schedule), {**sent, "given": ["contact"], "description": "same"}).status_code == 302
    schedule.refresh_from_db()
    assert json.loads(schedule.kwargs)["parameters"] == {"contact": "a@b.cc"}
    sent = untouched(clerk.get(page(schedule)).content.decode(), "work")
    assert clerk.post(page(schedule), {**sent, "given": ["due"]}).status_code == 302
    schedule.refresh_from_db()
    assert json.loads(schedule.kwargs)["parameters"] == {"due": ""}


def test_a_schedule_of_before_shows_and_does_what_its_form_begins_with(clerk):
    made.processed(country="Deutschland")
    schedule = stored(CORRECT, {})
    html = clerk.get(page(schedule)).content.decode()
    assert len(re.findall(r'name="set-\w+"[^>]* checked', html)) == len(YourModel.INPUTS) + 3
    start_run(CORRECT, {"selection": ""}, {}, schedule_name="Nightly", firing_id=None)
    assert work_off(Run.objects.get()).succeeded == 1
    assert YourModel.objects.get().country == "DE"
