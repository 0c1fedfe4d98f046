"""A task says which records need it, and a run can be confined to these."""

import json
import re
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.checks import run_checks
from django.core.management import call_command
from django.db.models import Q
from django.urls import reverse

from backoffice.runs.labels import skip_words
from backoffice.runs.models import Run
from backoffice.runs.seam import EmptySelection, Preview, preview, retry, start
from backoffice.testing import work_off
from records.models import YourModel
from records.tasks import process_model_instance
from tests import factories
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
PROCESS = "records.tasks.process_model_instance"


@pytest.fixture
def needs(monkeypatch):
    """A team's task that says it."""
    monkeypatch.setattr(tax_invoice, "needs", Q(gross=None))


@pytest.fixture
def operator(client):
    client.user = factories.member("Operator")
    client.force_login(client.user)
    return client


def invoices(*gross):
    return [Invoice.objects.create(number=str(n), net=n + 1, gross=each) for n, each in enumerate(gross)]


def crash(monkeypatch, record, **options):
    with monkeypatch.context() as patch:
        patch.setattr(YourModel, "process", lambda self: 1 / 0)
        return work_off(start([record.pk], PROCESS, **options))


def test_a_run_is_confined_to_the_records_that_need_it_and_says_so(needs):
    invoices(None, 1, None)
    assert preview(Invoice.objects.all(), tax_invoice) == Preview(3, 3, {}, 2)
    run = work_off(start(Invoice.objects.all(), tax_invoice, selection="All invoices", only_needed=True))
    assert (run.total, run.skipped, run.skip_reasons) == (2, 1, {"unneeded": 1})
    assert run.selection == "All invoices; only those that need it"
    assert not Invoice.objects.filter(gross=None).exists()


def test_where_none_needs_it_nothing_starts(needs):
    invoices(1, 1)
    assert preview(Invoice.objects.all(), tax_invoice).needed == 0
    with pytest.raises(EmptySelection, match="All 2 selected records were skipped: 2 not in need of it"):
        start(Invoice.objects.all(), tax_invoice, only_needed=True)


def test_not_eligible_busy_and_not_needed_are_counted_apart(needs, monkeypatch):
    rows = invoices(None, 1, None, None)
    monkeypatch.setattr(tax_invoice, "eligible", ~Q(number="0"))
    start([rows[2].pk], tax_invoice)
    run = start(Invoice.objects.all(), tax_invoice, only_needed=True)
    reasons = {"unfit": 1, "unneeded": 1, "busy": 1}
    assert (run.total, run.skip_reasons) == (1, reasons)
    assert preview(Invoice.objects.all(), tax_invoice).needed == 0


def test_a_task_that_does_not_say_it_is_not_confined():
    invoices(None)
    assert preview(Invoice.objects.all(), tax_invoice).needed is None
    with pytest.raises(ValueError, match="“Tax invoice” does not say which records need it"):
        start(Invoice.objects.all(), tax_invoice, only_needed=True)


def test_of_shipped_records_those_need_it_that_are_new_edited_failed_or_checked_under_older_rules(monkeypatch):
    new, current, edited, failed, older, mended = (
        factories.record(), *(factories.processed(email="nobody") for _ in range(5)),
    )  # fmt: skip
    YourModel.objects.filter(pk=edited.pk).update(processed=False)
    YourModel.objects.filter(pk=older.pk).update(rules_version="2020.01")
    crash(monkeypatch, failed)
    work_off(retry(crash(monkeypatch, mended), by="anna"))
    found = preview(YourModel.objects.all(), PROCESS)
    assert (found.matched, found.needed) == (6, 4)
    run = work_off(start(YourModel.objects.all(), PROCESS, only_needed=True))
    assert {each.record_id for each in run.outcomes()} == {new.pk, edited.pk, failed.pk, older.pk}
    assert current.pk not in {each.record_id for each in run.outcomes()}
    assert preview(YourModel.objects.all(), PROCESS).needed == 0


# --- the confirmation


def click(client, records, **given):
    picked = {"action": "process_selected", ACTION_CHECKBOX_NAME: [each.pk for each in records], "index": "0"}
    return client.post(LIST, picked | given)


def fact(html, name):
    return re.sub(r"<[^>]+>", "", re.search(rf'data-field="{name}">(.*?)</dd>', html)[1])


def test_a_click_that_would_find_nothing_new_says_84_match_0_need_it_and_goes_on_when_told(operator):
    made = [factories.processed() for _ in range(3)]
    html = click(operator, made).content.decode()
    assert (fact(html, "matched"), fact(html, "needed")) == ("3", "0")
    assert "None of them needs it" in html
    assert 'name="only_needed"' not in html
    assert not Run.objects.exists()
    click(operator, made, confirmed="1")
    assert Run.objects.get().total == 3


def test_a_click_of_which_some_are_needed_stays_one_click(operator):
    click(operator, [factories.processed(), factories.record()])
    assert Run.objects.get().total == 2


def test_above_the_bound_the_page_offers_those_that_need_it_and_all(operator, settings):
    settings.RUNS_CONFIRM_ABOVE = 1
    made = [factories.processed(), factories.record(), factories.record()]
    html = click(operator, made).content.decode()
    assert (fact(html, "matched"), fact(html, "needed")) == ("3", "2")
    assert "Start the run over the 2 records that need it" in html
    assert "Start the run over 3 records" in html
    click(operator, made, confirmed="1", only_needed="1", form_token="t")
    run = Run.objects.get()
    assert (run.total, run.skipped) == (2, 1)
    assert run.selection == "3 records, selected by hand; only those that need it"
    work_off(run)
    click(operator, made, confirmed="1", form_token="t")
    assert Run.objects.latest("pk").total == 3, "the other button is another click"


def test_the_button_of_a_record_asks_nothing(operator):
    made = factories.processed()
    operator.post(reverse("admin:records_yourmodel_run", args=[made.pk, "process_selected"]))
    assert Run.objects.get().total == 1


def test_a_run_for_later_is_confined_too(operator):
    made = [factories.processed(), factories.record()]
    picked = {"action": "process_later", ACTION_CHECKBOX_NAME: [each.pk for each in made], "index": "0"}
    html = operator.post(LIST, picked).content.decode()
    assert fact(html, "needed") == "1"
    operator.post(LIST, picked | {"due_at": "2099-01-01T00:00", "only_needed": "1"})
    assert Run.objects.get().total == 1


def test_the_command_is_confined_by_an_option(capsys):
    factories.processed()
    factories.record()
    call_command("process", "records.YourModel", "--task", "process_model_instance", "--only-needed", "--json")
    assert json.loads(capsys.readouterr().out)["total"] == 1
    assert Run.objects.get().selection == "all; only those that need it"


@pytest.mark.parametrize(
    ("option", "given", "told"),
    [
        ("needs", True, "the needs True, which is no Q"),
        ("needs", Q(gorss=None), "by which nothing can be found: Cannot resolve keyword 'gorss'"),
        ("needs", Q(), "true of every record"),
        ("eligible", Q(gorss=None), "by which nothing can be found: Cannot resolve keyword 'gorss'"),
    ],
)
def test_a_condition_that_fits_no_record_is_told_at_start(monkeypatch, option, given, told):
    monkeypatch.setattr(tax_invoice, option, given)
    [error] = [message for message in run_checks(tags=["runs"]) if message.id == "runs.E025"]
    assert error.msg.startswith("tests.second.tasks.tax_invoice has ")
    assert told in error.msg


def test_what_is_shipped_is_declared_well():
    assert process_model_instance.needs
    assert "runs.E025" not in {message.id for message in run_checks(tags=["runs"])}


def test_why_records_were_skipped_is_kept_by_codes_and_told_in_words(monkeypatch):
    monkeypatch.setattr(tax_invoice, "not_eligible", "without tax")
    before = {
        "without tax": 1,
        "not in need of it": 2,
        "already in an active run": 3,
        "not found at the start: deleted, or no longer matching the list’s filter": 4,
    }
    row = invoices(None)[0]
    run = start([row.pk], tax_invoice)
    Run.objects.update(skipped=10, skip_reasons=before)
    migration = import_module("backoffice.runs.migrations.0019_why_records_were_skipped_by_code")
    for _again in range(2):
        migration.as_codes(apps, None)
        run.refresh_from_db()
        assert run.skip_reasons == {"unfit": 1, "unneeded": 2, "busy": 3, "gone": 4}
        assert skip_words(tax_invoice.name, run.skip_reasons) == before
