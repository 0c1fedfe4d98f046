"""The activity log: what its list and pages say, found by what a person knows of it."""

import pytest
from django.test import Client

from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.runs.seam import start
from backoffice.testing import work_off
from records.tasks import process_model_instance
from tests.factories import record, user
from tests.schedules import factories as schedules

pytestmark = pytest.mark.django_db
LIST = "/admin/results/activity/"


def listed(client: Client, term: str) -> list[str]:
    return [row.verb for row in client.get(LIST, {"q": term}).context["cl"].result_list]


CASES = {
    "a record's codes by their words": (
        lambda: log("anna", "record.edited", record(), changes={"verdict": ["valid", "corrected"]}),
        [("Verdict", "valid", "correctable")],
        {},
    ),
    "a schedule's fields by the form's labels": (
        lambda: log("anna", "schedule.changed", schedules.row(), changes={"crontab_text": ["0 2 * * *", ""]}),
        [("Times (crontab)", "0 2 * * *", "nothing")],
        {},
    ),
    "days of a retention": (
        lambda: log("anna", "retention.changed", "runs", kind="runs", days=[90, 30]),
        [("Kept for, in days", "90", "30")],
        {"Kind": "runs"},
    ),
    "numbers, lists and texts": (
        lambda: log("anna", "permissions.changed", "Operator", added=["a.view", "a.add"], removed=[], reason=""),
        [],
        {"Added": "a.view, a.add"},
    ),
    "tasks and sources by their names": (
        lambda: log("anna", "run.started", "Run 1", task="records.tasks.process_model_instance", source="schedule"),
        [],
        {"Task": "Process", "Started by": "schedule"},
    ),
    "what is no change, and no model of ours": (
        lambda: Activity.objects.create(
            actor="x", verb="old.verb", model="gone.thing", object_id="1", details={"changes": "many", "days": 3}
        ),
        [],
        {"Kept for, in days": "3"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_entry_is_told_in_words_and_its_changes_as_before_and_after(case: str, client: Client, superuser):
    make, changes, facts = CASES[case]
    entry = make()
    answer = client.get(f"{LIST}{entry.pk}/change/")
    told = {fact.label: fact.value for fact in answer.context["facts"]}
    assert [(each.label, each.before, each.after) for each in answer.context["changes"]] == changes
    assert {label: told.get(label) for label in facts} == facts
    line = client.get(LIST).text
    assert all(f"{label}: {before} → {after}" in line for label, before, after in changes)
    assert "[&#x27;" not in line + answer.text.partition("bo-document")[0]


def test_the_log_is_searched_by_who_to_what_number_and_what_was_done(client: Client, superuser):
    about = record(reference="ABC-7")
    log("anna", "record.edited", about)
    log("bert", "run.started", "Run 12")
    for term in ("ABC-7", "abc edited", "anna", str(about.pk)):
        assert "record.edited" in listed(client, term)
    assert listed(client, "bert record") == []
    log("carl", "run.planned", "Run 13", task=process_model_instance.name, reason="Zürich moved to Zagreb")
    for term in ("zagreb", "Zürich", "carl proc"):
        assert listed(client, term) == ["run.planned"]
    assert listed(client, "started bert") == ["run.started"]


def test_the_end_of_a_run_is_logged_once_with_who_asked_and_what_came_of_it(client: Client):
    by = user("records.process_yourmodel", username="ada")
    about = record()
    run = work_off(start([about.pk], process_model_instance, by=by))
    (entry,) = Activity.objects.filter(verb="run.finished")
    assert (entry.actor, entry.actor_id, entry.object_id) == ("ada", by.pk, str(run.pk))
    assert entry.details == {"task": process_model_instance.name, "succeeded": 1}


def test_what_it_was_done_to_is_a_link_for_who_may_open_it(client: Client, superuser):
    about = record()
    entry = log("anna", "record.edited", about)
    page = f"/admin/records/yourmodel/{about.pk}/change/"
    assert page in client.get(f"{LIST}{entry.pk}/change/").text
    client.force_login(user("results.view_activity"))
    assert page not in client.get(f"{LIST}{entry.pk}/change/").text
    about.delete()
    client.force_login(superuser)
    assert page not in client.get(f"{LIST}{entry.pk}/change/").text
