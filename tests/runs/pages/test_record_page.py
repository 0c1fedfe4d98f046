"""The page of a record of any kind: its outcome, its timeline, its runs, buttons, and a word when its inputs changed.

tests/second is a team's app; nothing in it asks for any of this.
"""

import re

import pytest
from django.contrib import admin
from django.core.checks import run_checks
from django.db.models import Q
from django.template.loader import get_template
from django.urls import reverse
from unfold.admin import ModelAdmin

from backoffice.results.models import Activity
from backoffice.runs.models import Run, State
from backoffice.runs.pages.record_page import RecordPage
from backoffice.runs.registry import find
from backoffice.runs.seam import Note, ProcessableAdmin
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests import factories
from tests.probe.models import Kinds, Never, Odd
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
RIGHTS = {
    "operator": ("second.view_invoice", "second.change_invoice"),
    "auditor": ("second.view_invoice", "runs.view_run", "results.view_activity"),
    "outsider": (),
}


@pytest.fixture
def person(request, client):
    client.user = factories.user(*RIGHTS[request.param], username=request.param)
    client.force_login(client.user)
    return client


def as_(*names):
    return pytest.mark.parametrize("person", names, indirect=True)


@pytest.fixture
def invoice():
    return Invoice.objects.create(number="I-77", net=100)


def page(invoice):
    return reverse("admin:second_invoice_change", args=[invoice.pk])


def button(invoice, action="tax_selected"):
    return reverse("admin:second_invoice_run", args=[invoice.pk, action])


def run_over(invoice, **options):
    return work_off(start(Invoice.objects.filter(pk=invoice.pk), "tax_invoice", **options))


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2] or answer.text).split())


@pytest.fixture
def shown(monkeypatch):
    """Sets what a team may set on the admin."""
    model_admin = admin.site._registry[Invoice]

    def set_all(**values):
        for name, value in values.items():
            monkeypatch.setattr(model_admin, name, value)

    return set_all


@as_("operator", "auditor")
class TestWhoMayLook:
    def test_sees_that_nothing_was_done_yet(self, person, invoice):
        said = words(person.get(page(invoice)))
        for each in ("not processed", "there is no outcome to show", "No run has worked on this record yet"):
            assert each in said
        assert "inputs have changed" not in said

    def test_sees_the_outcome_the_runs_and_the_timeline(self, person, invoice):
        run = run_over(invoice, by="anna")
        answer = person.get(page(invoice))
        for each in ("taxed", "120.00", f"Run {run.pk}: Tax invoice", "anna", "succeeded", "Timeline of this record"):
            assert each in words(answer)
        assert "not processed" not in words(answer)
        link = reverse("admin:runs_run_change", args=[run.pk]) in answer.text
        assert link is person.user.has_perm("runs.view_run")

    def test_sees_what_a_task_wrote_into_fields_that_no_form_has(self, person, invoice, shown):
        assert "Gross" not in words(person.get(page(invoice)))
        run_over(invoice)
        assert "Gross 120.00" in words(person.get(page(invoice)))
        shown(exclude=("gross",))
        assert "Gross" not in words(person.get(page(invoice)))

    def test_sees_what_a_plain_call_wrote(self, person, invoice):
        find("tax_invoice")(invoice.pk)
        said = words(person.get(page(invoice)))
        assert "Gross 120.00" in said
        assert "no outcome to show" not in said

    def test_sees_that_an_edit_made_the_outcome_an_old_one(self, person, invoice, admin_client):
        run_over(invoice)
        admin_client.post(page(invoice), {"number": "I-77", "net": "50"})
        said = words(person.get(page(invoice)))
        assert "The inputs have changed since: process the record again." in said
        assert "not processed" in said
        for each in ("Edited", "Net", "100.00", "50"):
            assert each in said

    def test_sees_why_it_failed(self, person, invoice, monkeypatch):
        monkeypatch.setattr(Invoice, "process", lambda self: 1 / 0)
        assert run_over(invoice).state == State.FAILURE
        assert "ZeroDivisionError: division by zero" in words(person.get(page(invoice)))

    def test_sees_what_is_in_work(self, person, invoice):
        start(Invoice.objects.all(), "tax_invoice")
        assert "pending" in words(person.get(page(invoice)))

    def test_asks_the_same_number_of_questions_however_much_happened(
        self, person, invoice, django_assert_max_num_queries
    ):
        run_over(invoice)
        person.get(page(invoice))
        with django_assert_max_num_queries(18) as one:
            person.get(page(invoice))
        for _ in range(12):
            run_over(invoice)
        with django_assert_max_num_queries(len(one)):
            person.get(page(invoice))


class TestTheButton:
    @as_("operator")
    def test_of_each_action_starts_a_run_over_this_record(self, person, invoice):
        Invoice.objects.create(number="I-78", net=1)
        answer = person.get(page(invoice))
        assert "Tax invoice" in re.findall(r"<button[^>]*>([^<]*)</button>", answer.text)
        done = person.post(button(invoice), {"form_token": "one"})
        run = Run.objects.get()
        assert done["Location"] == f"{page(invoice)}#outcome"
        assert (run.total, run.requester, run.selection) == (1, person.user, "Invoice I-77")
        assert person.post(button(invoice), {"form_token": "one"})["Location"] == done["Location"]
        assert Run.objects.count() == 1

    @as_("auditor", "outsider")
    def test_is_not_there_for_others_and_a_crafted_post_is_refused(self, person, invoice):
        assert button(invoice) not in person.get(page(invoice)).text
        assert person.post(button(invoice)).status_code == 403
        assert not Run.objects.exists()
        assert Activity.objects.filter(verb="access.refused").exists()

    @as_("operator")
    def test_of_an_action_that_is_none_starts_nothing(self, person, invoice):
        for name in ("delete_selected", "nothing"):
            assert person.post(button(invoice, name)).status_code == 403
        assert not Run.objects.exists()

    @as_("operator")
    def test_cannot_be_pressed_by_following_a_link(self, person, invoice):
        assert person.get(button(invoice)).status_code == 405

    @as_("operator")
    def test_of_a_record_that_is_gone_says_so(self, person, invoice):
        address = button(invoice)
        invoice.delete()
        assert person.post(address).status_code == 302
        assert not Run.objects.exists()

    @as_("operator")
    def test_of_a_record_that_this_person_does_not_see_starts_nothing(self, person, invoice, shown):
        shown(get_queryset=lambda request: Invoice.objects.none())
        person.post(button(invoice))
        assert not Run.objects.exists()

    @as_("operator")
    def test_needs_the_csrf_token(self, person, invoice):
        person.handler.enforce_csrf_checks = True
        assert person.post(button(invoice)).status_code == 403

    @as_("operator")
    def test_says_why_it_cannot_be_pressed(self, person, invoice, monkeypatch):
        monkeypatch.setattr(find("tax_invoice"), "eligible", Q(net__lt=0))
        monkeypatch.setattr(find("tax_invoice"), "not_eligible", "without tax")
        assert re.search(r'disabled title="Without tax">Tax invoice<', person.get(page(invoice)).text)
        answer = person.post(button(invoice), follow=True)
        assert not Run.objects.exists()
        assert "without tax" in answer.text


@as_("operator", "outsider")
def test_its_history_is_what_its_own_page_tells(person, invoice):
    history = reverse("admin:second_invoice_history", args=[invoice.pk])
    answer = person.get(history, {"_changelist_filters": "q=I"})
    assert answer["Location"] == f"{page(invoice)}?_changelist_filters=q%3DI#history"
    assert 'id="history-group"' in person.get(page(invoice)).text or person.get(history, follow=True).status_code == 403


@as_("outsider")
def test_somebody_without_rights_sees_nothing(person, invoice):
    run_over(invoice)
    timeline = reverse("admin:desk_timeline", args=["second.invoice", invoice.pk])
    for address in (page(invoice), timeline):
        assert person.get(address).status_code == 403
    assert person.post(page(invoice), {"number": "I-77", "net": "1"}).status_code == 403


@as_("auditor")
class TestATeamSets:
    def test_the_words_and_colours_of_outcomes(self, person, invoice, shown):
        run_over(invoice)
        shown(outcome_words={"taxed": "with tax"}, outcome_colours={"taxed": "good"})
        assert '<span class="bo-badge bo-badge--good">with tax</span>' in person.get(page(invoice)).text

    def test_which_field_keeps_the_outcome(self, person, invoice, shown):
        Invoice.objects.update(processed=True)
        shown(outcome_field="number", outcome_colours={"I-77": "bad"})
        assert '<span class="bo-badge bo-badge--bad">I-77</span>' in person.get(page(invoice)).text

    def test_what_processed_is_called_and_what_is_said_of_old_outcomes(self, person, invoice, shown):
        run_over(invoice)
        Invoice.objects.update(processed=False)
        shown(processed_words=("settled", "open"), stale_words="Settle it again.")
        said = words(person.get(page(invoice)))
        assert "open" in said
        assert "not processed yet" in said
        assert "taxed as of" in said
        assert "Settle it again." in said

    def test_the_parts_of_the_page(self, person, invoice, shown):
        shown(record_tabs=(("history", "What happened", "runs/record/history.html"),))
        said = words(person.get(page(invoice)))
        assert "What happened" in said
        assert "Timeline of this record" in said
        assert "No run has worked" not in said

    def test_what_is_said_beside_a_field_and_of_one_that_the_form_has_not(self, person, invoice, shown):
        notes = {"net": [Note("rather much", "look", "warning", "99")], "gross": [Note("rather little")]}
        shown(notes_of=lambda record: notes)
        html = person.get(page(invoice)).text
        assert html.index('aria-label="Gross"') < html.index("rather little") < html.index('id="id_net_notes"')
        assert '<span class="bo-badge bo-badge--warning">look</span>' in html.split('id="id_net_notes"')[1]
        assert "data-use" not in html  # who only reads sets nothing

    def test_the_columns_of_the_list(self, person, invoice, shown):
        shown(list_display=("number", "processed_badge", "processed_when"))
        assert "not processed" in words(person.get("/admin/second/invoice/"))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("outcome_field", "verdict", "'verdict', which second.Invoice has not"),
        ("outcome_colours", {"taxed": "green"}, "'green'"),
    ],
)
def test_a_system_check_names_what_does_not_fit(shown, name, value, told):
    shown(**{name: value})
    assert [message for message in run_checks() if told in message.msg and message.is_serious()]


@pytest.mark.parametrize("model", [Kinds, Odd, Never])
def test_any_kind_of_value_can_be_shown(model):
    shown = type("Shown", (ProcessableAdmin, ModelAdmin), {})(model, admin.site)
    row = model(**({"number": 1, "owner": factories.user()} if model is Kinds else {}))
    row.process()
    row.save()
    row = model.objects.get(pk=row.pk)
    page = RecordPage(shown, row, factories.user())
    page.written = {field.name for field in model._meta.concrete_fields}  # as if no form had them
    html = get_template("runs/record/outcome.html").render({"record_page": page})
    assert html.count("<dd>") == len(page.written)
