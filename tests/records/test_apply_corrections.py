"""Applying corrections asks which, and writes the chosen fields alone."""

import pytest
from django.core.management import call_command

from backoffice.runs.models import ChangeSet, Run
from backoffice.runs.seam import BadParameters, start
from backoffice.testing import work_off
from records.models import YourModel
from records.tasks import apply_corrections
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
EVERY = {"fields": [*YourModel.INPUTS], "severities": ["error", "warning", "info"]}


@pytest.fixture
def record():
    return factories.processed(country="Deutschland", email="Anna@EXAMPLE.COM")


@pytest.fixture
def operator(client):
    client.force_login(factories.member("Operator"))
    return client


def apply(client, record, **more):
    data = {"action": "apply_corrections", "index": "0", "_selected_action": record.pk, "form_token": "t", **more}
    return client.post(LIST, data)


def changed() -> str:
    return ChangeSet.objects.get().fields


def test_all_is_ticked_at_first(operator, record):
    html = apply(operator, record).content.decode()
    assert html.count(" checked") == len(YourModel.INPUTS) + 3
    apply(operator, record, confirmed="1", **{f"set-{name}": values for name, values in EVERY.items()})
    work_off(Run.objects.get())
    assert changed() == " country email processed "


def test_who_chooses_nothing_is_told(operator, record):
    html = apply(operator, record, confirmed="1").content.decode()
    assert html.count("Choose at least one.") == 2
    assert not Run.objects.exists()
    with pytest.raises(BadParameters, match="Fields to correct: Choose at least one."):
        start(YourModel.objects.all(), "apply_corrections", parameters={"fields": []})


def test_what_is_not_chosen_stays_as_it_is(operator, record):
    apply(operator, record, confirmed="1", **{"set-fields": ["email"], "set-severities": ["info"]})
    run = work_off(Run.objects.get())
    assert run.parameters == {"fields": "email", "severities": "info"}
    assert changed() == " email processed "
    record.refresh_from_db()
    assert (record.country, record.email, record.processed) == ("Deutschland", "Anna@example.com", False)


def test_whoever_calls_it_without_saying_which_means_all(record):
    apply_corrections(record.pk)
    assert changed() == " country email processed "
    apply_corrections(factories.processed(country="Deutschland").pk, fields=["town"])
    assert ChangeSet.objects.count() == 1


def test_a_run_that_was_started_before_there_was_a_choice_means_all(record):
    run = start(YourModel.objects.all(), "apply_corrections")
    assert run.parameters == EVERY
    Run.objects.update(parameters={})
    assert work_off(Run.objects.get()).succeeded == 1
    assert changed() == " country email processed "


def test_a_command_chooses_too(record):
    told = ["--filter", f"id={record.pk}", "--task", "apply_corrections", "--set", "fields=email"]
    call_command("process", "records.YourModel", *told)
    run = work_off(Run.objects.get())
    assert (run.parameters["fields"], changed()) == ("email", " email processed ")
