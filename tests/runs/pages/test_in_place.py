"""Save and check: one click saves a record and starts its check, and the page stays and shows what comes of it."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from backoffice.runs.models import Run
from backoffice.runs.pages.edits import digests, written
from backoffice.runs.pages.record_page import RecordPage
from backoffice.runs.seam import start
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.browser import page as browsing
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"


def page(record, name="change") -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{name}", args=[record.pk])


def form_of(record, **changes):
    inputs = {field: getattr(record, field) for field in YourModel.INPUTS}
    return inputs | {"seen": written(digests(inputs)), "_run": "1"} | changes


@pytest.fixture
def operator(client):
    client.user = factories.member("Operator")
    client.force_login(client.user)
    return client


def test_the_form_is_saved_and_its_check_started_and_the_page_stays(operator):
    made = factories.processed(country="Deutschland")
    response = operator.post(page(made), form_of(made, country="DE"))
    assert response["Location"] == f"{page(made)}#outcome"
    run = Run.objects.get()
    assert (run.requester, run.total, made.reference in run.selection) == (operator.user, 1, True)
    html = operator.get(page(made)).text
    assert f'data-at-work="{page(made, "at_work")}"' in html
    assert operator.get(page(made, "at_work")).json() == {"at_work": True}
    work_off(run)
    assert operator.get(page(made, "at_work")).json() == {"at_work": False}
    html = operator.get(page(made)).text
    assert "data-at-work" not in html
    made.refresh_from_db()
    assert (made.country, made.verdict, made.processed) == ("DE", "valid", True)


def test_a_new_record_is_checked_as_it_is_added(operator):
    assert "Save and check" in operator.get(f"{LIST}add/").text
    sent = {"reference": "NEW-1", "role": "buyer", "name": "New", "country": "DE", "_run": "1"}
    response = operator.post(f"{LIST}add/", sent)
    made = YourModel.objects.get(reference="NEW-1")
    assert response["Location"] == f"{page(made)}#outcome"
    assert work_off(Run.objects.get()).succeeded == 1


def test_a_form_that_is_refused_starts_nothing(operator):
    made = factories.record()
    assert operator.post(page(made), form_of(made, name="")).status_code == 200
    assert not Run.objects.exists()


def test_of_a_record_in_an_active_run_the_edit_is_saved_and_it_is_said(operator):
    made = factories.record(town="Bonn")
    start([made.pk], "process_model_instance")
    html = operator.post(page(made), form_of(made, town="Ulm"), follow=True).text
    assert "already in an active run" in html
    made.refresh_from_db()
    assert (made.town, Run.objects.count()) == ("Ulm", 1)


def test_it_is_offered_to_whoever_may_save_and_check_and_to_nobody_else(client):
    made = factories.record(town="Bonn")
    editor = factories.user("records.view_yourmodel", "records.change_yourmodel")
    for who, offered in ((factories.member("Operator"), True), (factories.member("Auditor"), False), (editor, False)):
        client.force_login(who)
        assert ("Save and check" in client.get(page(made)).text) is offered
        if not offered:
            assert client.post(page(made), form_of(made, town="Ulm")).status_code == 403
    made.refresh_from_db()
    assert (made.town, Run.objects.count()) == ("Bonn", 0)


def test_a_teams_model_has_it_by_its_own_label(admin_client):
    made = Invoice.objects.create(number="1", net=100)
    assert "Save and “Tax invoice”" in admin_client.get(page(made)).text
    admin_client.post(page(made), {"number": "1", "net": "50", "_run": "1"})
    work_off(Run.objects.get())
    made.refresh_from_db()
    assert made.gross == 60


def test_a_button_saves_first_what_is_not_saved(operator):
    made = factories.processed(country="Deutschland")
    sent = form_of(made, town="Köln", _run="process_selected")
    assert operator.post(page(made), sent)["Location"] == f"{page(made)}#outcome"
    work_off(Run.objects.get())
    made.refresh_from_db()
    assert (made.town, made.processed) == ("Köln", True)
    answer = operator.post(page(made), form_of(made, town="Ulm", _run="apply_corrections"), follow=True)
    made.refresh_from_db()
    assert (made.town, Run.objects.count()) == ("Ulm", 1)
    assert "was not started: without an issue found, or to be processed first." in answer.text


def test_a_button_that_asks_does_so_once_the_form_is_saved(admin_client, monkeypatch):
    from tests.second.tasks import tax_invoice

    made = Invoice.objects.create(number="1", net=100)
    monkeypatch.setattr(tax_invoice, "reason", "required")
    asked = admin_client.post(page(made), {"number": "1", "net": "50", "_run": "tax_selected"})
    action = reverse("admin:second_invoice_run", args=[made.pk, "tax_selected"])
    assert f'action="{action}"' in asked.text
    assert admin_client.post(action, {"confirmed": "1", "reason": "Due"})["Location"] == f"{page(made)}#outcome"
    work_off(Run.objects.get())
    made.refresh_from_db()
    assert made.gross == 60


@pytest.mark.parametrize("action", ["edit_nothing", "delete_selected"])
def test_a_button_that_is_not_there_saves_nothing(operator, action):
    made = factories.processed(country="Deutschland")
    assert operator.post(page(made), form_of(made, town="Köln", _run=action)).status_code == 403
    made.refresh_from_db()
    assert made.town != "Köln"


def test_a_task_that_asks_for_something_is_not_started_by_saving(admin_client, monkeypatch):
    from tests.second.tasks import tax_invoice

    made = Invoice.objects.create(number="1", net=100)
    monkeypatch.setattr(tax_invoice, "reason", "required")
    assert 'name="_run"' not in admin_client.get(page(made)).text


def test_whatever_is_started_on_the_record_comes_back_to_its_page(operator):
    made = factories.processed(country="NL", tax_id="12345678", phone="(020) 1234567")
    sent = {
        "accept_issues": {"confirmed": "1", "set-codes": "tax_id.unrecognised", "reason": "Seen"},
        "withdraw_acceptance": {"confirmed": "1", "set-codes": "tax_id.unrecognised", "reason": "A merger"},
        "apply_and_check": {"confirmed": "1", "set-fields": "phone", "set-severities": "info"},
        "process_selected": {},
    }
    for name, given in sent.items():
        url = reverse("admin:records_yourmodel_run", args=[made.pk, name])
        assert operator.post(url, given)["Location"] == f"{page(made)}#outcome", name
        work_off(Run.objects.latest("pk"))
    assert Run.objects.get(task__name="records.tasks.withdraw_acceptance").reason == "A merger"


def test_whether_a_run_is_at_work_is_told_to_whoever_may_look(client, django_assert_max_num_queries):
    made = factories.record()
    client.force_login(factories.user())
    assert client.get(page(made, "at_work")).status_code == 403
    client.force_login(factories.member("Auditor"))
    client.get(page(made, "at_work"))
    with django_assert_max_num_queries(7):
        assert client.get(page(made, "at_work")).json() == {"at_work": False}
    assert client.post(page(made, "at_work")).status_code == 405


def test_a_page_that_was_read_just_before_its_run_ended_is_loaded_again(operator, monkeypatch):
    """The record is read, the run ends, the runs are read: nothing is at work, and the outcome is not on the page."""
    made = factories.processed(country="Atlantis")
    operator.post(page(made), form_of(made, country="DE"))
    real = RecordPage.__init__

    def late(self, *args):
        real(self, *args)
        work_off(Run.objects.get())

    with monkeypatch.context() as patched:
        patched.setattr(RecordPage, "__init__", late)
        html = operator.get(page(made)).text
    assert "not checked yet" in html
    assert "data-at-work" in html
    assert "data-at-work" not in operator.get(page(made)).text


def test_a_form_that_was_refused_is_not_loaded_again_while_a_run_is_at_work(operator):
    made = factories.record()
    start([made.pk], "process_model_instance")
    assert "data-at-work" not in operator.post(page(made), form_of(made, name="")).text


@pytest.mark.browser
@pytest.mark.once
def test_the_outcome_comes_onto_the_page_by_itself(live_server, browser, transactional_db):
    factories.user(is_superuser=True, username="boss", password="a long one")
    made = factories.processed(country="Atlantis")
    with browsing.watched_page(browser, live_server.url) as watched:
        shown = watched.sign_in("boss", "a long one")
        watched.open(page(made))
        shown.fill("#id_country", "DE")
        shown.get_by_role("button", name="Save and check").click()
        expect(shown.locator("[data-at-work]")).to_be_visible()
        for part in ("[data-messages]", "a[rel=next]"):
            expect(shown.locator(part)).to_be_in_viewport()
        work_off(Run.objects.get())
        expect(shown.locator(".record-head .bo-badge").first).to_have_text("valid")
        expect(shown.locator("[data-messages]")).to_contain_text("Saved: ")
        expect(shown.locator("[data-at-work]")).to_have_count(0)
        assert browsing.accessibility_problems(shown) == []
        start([made.pk], "process_model_instance")
        shown.reload()
        shown.fill("#id_town", "half typed")
        work_off(Run.objects.latest("pk"))
        expect(shown.locator("[data-at-work]")).to_contain_text("What you typed is not saved.")
        assert shown.input_value("#id_town") == "half typed"
        assert watched.problems == []
