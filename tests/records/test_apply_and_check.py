"""Corrections and the check in one run: one outcome, one undo."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from backoffice.runs.failing import standing
from backoffice.runs.models import ChangeSet, Run, RunItem
from backoffice.runs.seam import State, preview, start, undo
from backoffice.testing import work_off
from records.models import YourModel
from records.tasks import apply_and_check
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
ASKED = {"fields": [*YourModel.INPUTS], "severities": ["error", "warning", "info"]}


def apply(record, **given) -> Run:
    return work_off(start([record.pk], apply_and_check, parameters=ASKED | given))


def values(record):
    record.refresh_from_db()
    names = (*YourModel.INPUTS, "normalised", "issues", "issue_codes", "verdict", "rules_version")
    return {name: getattr(record, name) for name in names}


def test_the_record_is_corrected_and_checked_in_one_run_and_its_outcome_is_the_checks():
    made = factories.processed(country="Deutschland", email="Anna@EXAMPLE.COM")
    run = apply(made)
    made.refresh_from_db()
    assert (made.country, made.email, made.verdict, made.processed) == ("DE", "Anna@example.com", "valid", True)
    assert RunItem.objects.get(run=run).outcome == "valid: corrected: country, email"


def test_what_is_left_after_the_check_is_told():
    made = factories.processed(country="Deutschland", email="nobody")
    assert RunItem.objects.get(run=apply(made)).outcome == "invalid: corrected: country; email.no_at"


def test_one_undo_takes_all_of_it_back():
    made = factories.processed(country="Deutschland", email="Anna@EXAMPLE.COM")
    before = values(made)
    run = apply(made)
    assert values(made) != before
    work_off(undo(run, by="anna"))
    assert values(made) == before
    assert ChangeSet.objects.filter(run=run).count() == 1


def test_the_chosen_fields_alone_are_corrected_and_the_check_is_of_all():
    made = factories.processed(country="Deutschland", email="Anna@EXAMPLE.COM")
    apply(made, fields=["email"])
    made.refresh_from_db()
    assert (made.country, made.email, made.verdict) == ("Deutschland", "Anna@example.com", "corrected")


def test_an_accepted_issue_is_neither_corrected_nor_open_again():
    made = factories.processed(website="www.example.com", country="Deutschland")
    user = factories.user(is_superuser=True)
    given = {"codes": ["website.no_scheme"]}
    work_off(start([made.pk], "accept_issues", by=user, parameters=given, reason="They write it so"))
    assert RunItem.objects.get(run=apply(made)).outcome == "valid: corrected: country; 1 accepted"
    made.refresh_from_db()
    assert made.website == "www.example.com"


def test_it_mends_a_check_that_has_failed_for_it_includes_the_check(monkeypatch, client):
    made = factories.processed(country="Deutschland")
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "process", lambda self: 1 / 0)
        failed = work_off(start([made.pk], "process_model_instance"))
    assert standing.standing().count() == 1
    assert preview([made.pk], "process_model_instance").needed == 1
    done = apply(made)
    assert standing.standing().count() == 0
    assert standing.of_run(failed).mended_by == [(done.pk, 1)]
    assert preview([made.pk], "process_model_instance").needed == 0
    standing.settle_before(done)
    failed.refresh_from_db()
    assert failed.settled_at
    client.force_login(factories.member("Operator"))
    assert "last check failed" not in client.get(f"{LIST}{made.pk}/change/").text


def test_a_check_does_not_mend_corrections_that_have_failed(monkeypatch):
    made = factories.processed(country="Deutschland")
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "apply_corrections", lambda self, *_args: 1 / 0)
        assert apply(made).failed == 1
    work_off(start([made.pk], "process_model_instance"))
    assert standing.standing().count() == 1


def test_where_the_check_crashes_nothing_is_corrected(monkeypatch):
    made = factories.processed(country="Deutschland")
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "process", lambda self: 1 / 0)
        run = apply(made)
    assert RunItem.objects.get(run=run).state == State.FAILURE
    made.refresh_from_db()
    assert (made.country, made.processed) == ("Deutschland", True)


@pytest.mark.parametrize("role", ["Auditor", "Scheduler"])
def test_it_takes_the_permission_of_corrections(client, role):
    made = factories.processed(country="Deutschland")
    client.force_login(factories.member(role))
    sent = {"set-fields": ["country"], "set-severities": ["info"], "confirmed": "1"}
    assert client.post(f"{LIST}{made.pk}/run/apply_and_check/", sent).status_code == 403
    client.post(LIST, sent | {"action": "apply_and_check", ACTION_CHECKBOX_NAME: [made.pk]})
    assert not Run.objects.exists()
