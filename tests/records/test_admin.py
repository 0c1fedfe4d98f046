"""The record's page, as staff with various permissions see it: read, processed, edited, deleted."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from backoffice.results.models import Activity
from backoffice.runs.models import Run
from backoffice.runs.pages.edits import digests, written
from backoffice.runs.start import start
from records.models import YourModel
from records.tasks import apply_corrections
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"


def page(record):
    return reverse("admin:records_yourmodel_change", args=[record.pk])


def form_of(record, **changes):
    """As the browser sends it back: with what the page said it showed."""
    inputs = {field: getattr(record, field) for field in YourModel.INPUTS}
    return inputs | {"seen": written(digests(inputs))} | changes


class TestTheRecordsPage:
    def test_shows_each_issue_beside_its_field_and_the_input_is_described_by_it(self, operator):
        made = factories.processed(country="Deutschland", email="nobody")
        html = operator.get(page(made)).content.decode()
        assert made.rules_version in html
        beside = {name: html.split(f'id="id_{name}_notes"')[1].split("</fieldset>")[0] for name in ("country", "email")}
        assert "Suggestion:" in beside["country"]
        assert 'data-use="DE" data-for="id_country"' in beside["country"]
        assert ">error</span>" in beside["email"]
        assert 'aria-describedby="id_email_notes"' in html
        assert 'id="id_name_notes"' not in html

    def test_says_which_value_an_issue_was_about_that_has_changed_since(self, operator):
        made = factories.processed(country="Deutschland")
        YourModel.objects.update(country="France", processed=False)
        html = operator.get(page(made)).content.decode()
        assert "Said of what stood here before:" in html
        assert "data-use" not in html

    def test_that_is_refused_says_what_it_said_of_what_is_stored(self, operator):
        made = factories.processed(country="Deutschland", phone="+49 30 1234567")
        html = operator.post(page(made), form_of(made, name="", phone="030 7654321", country="DE")).content.decode()
        assert "In normal form: +49301234567" in html
        assert "Said of what stood here before:" not in html
        YourModel.objects.update(phone="030 7654321", processed=False)
        assert "In normal form" not in operator.get(page(made)).content.decode()

    def test_of_a_reader_shows_the_same_beside_what_cannot_be_changed(self, auditor):
        html = auditor.get(page(factories.processed(country="Deutschland"))).content.decode()
        assert 'id="id_country_notes"' in html
        assert "data-use" not in html

    def test_of_a_record_that_waits_says_so(self, operator):
        assert "not processed" in operator.get(page(factories.record())).content.decode()

    def test_shows_corrections_with_before_and_after(self, operator):
        made = factories.processed(country="Deutschland")
        apply_corrections(made.pk)
        html = operator.get(page(made)).content.decode()
        assert "<del>Deutschland</del>" in html
        assert "<ins>DE</ins>" in html
        assert "The inputs have changed since" in html

    def test_shows_records_that_may_be_the_same(self, operator):
        made = factories.record(name="Müller Maschinenbau GmbH", town="Ulm")
        twin = factories.record(name="Mueller Maschinenbau", town="Ulm", tax_id="DE1")
        made.tax_id = "DE1"
        made.save()
        assert page(twin) in operator.get(page(made)).content.decode()

    def test_compares_with_a_bounded_number_of_records(self, operator, django_assert_max_num_queries):
        rows = [YourModel(reference=f"M{n}", name=f"Company {n}", country="DE") for n in range(500)]
        YourModel.objects.bulk_create(rows)
        made = factories.record(tax_id="DE1")
        operator.get(page(made))
        with django_assert_max_num_queries(14):
            operator.get(page(made))

    def test_shows_the_history_of_its_runs(self, operator):
        made = factories.record()
        operator.post(reverse("admin:records_yourmodel_run", args=[made.pk, "process_selected"]))
        assert (
            reverse("admin:runs_run_change", args=[Run.objects.get().pk]) in operator.get(page(made)).content.decode()
        )

    def test_links_no_run_that_this_person_may_not_open(self, operator):
        made = factories.record()
        other = factories.member("Operator")
        run = start(YourModel.objects.filter(pk=made.pk), "process_model_instance", by=other)
        html = operator.get(page(made)).content.decode()
        assert f"{run.pk}: Process" in html
        assert reverse("admin:runs_run_change", args=[run.pk]) not in html

    @pytest.mark.parametrize("key", ["999999", "text", str(2**63), "-1", "%00"])
    def test_of_a_record_that_is_not_there_goes_back_to_the_desk(self, operator, key):
        response = operator.get(f"{LIST}{key}/change/")
        assert response.status_code in {302, 404}

    def test_cannot_be_opened_without_permission(self, outsider):
        assert outsider.get(page(factories.record())).status_code == 403


class TestTheProcessButton:
    def url(self, record):
        return self.url_of(record.pk)

    def url_of(self, pk):
        return reverse("admin:records_yourmodel_run", args=[pk, "process_selected"])

    def test_starts_a_run_over_this_record(self, operator):
        made = factories.record()
        response = operator.post(self.url(made))
        run = Run.objects.get()
        assert response["Location"] == f"{page(made)}#outcome"
        assert made.reference in run.selection

    def test_pressed_twice_makes_one_run(self, operator):
        made = factories.record()
        for _ in range(2):
            operator.post(self.url(made), {"form_token": "same"})
        assert Run.objects.count() == 1

    def test_is_not_there_for_an_auditor_and_a_crafted_post_is_refused(self, auditor):
        made = factories.record()
        assert self.url(made) not in auditor.get(page(made)).content.decode()
        assert auditor.post(self.url(made)).status_code == 403
        assert not Run.objects.exists()

    def test_cannot_be_pressed_by_following_a_link(self, operator):
        assert operator.get(self.url(factories.record())).status_code == 405

    def test_of_a_record_deleted_meanwhile_says_that_it_is_gone(self, operator):
        assert operator.post(self.url_of(2**62)).status_code == 302

    def test_needs_the_csrf_token(self, operator):
        operator.handler.enforce_csrf_checks = True
        assert operator.post(self.url(factories.record())).status_code == 403


class TestEditing:
    def test_asks_for_processing_again_and_clears_nothing_else(self, operator):
        made = factories.processed(country="Deutschland")
        operator.post(page(made), form_of(made, phone="030 1"))
        edited = YourModel.objects.get(pk=made.pk)
        assert (edited.phone, edited.processed) == ("030 1", False)
        kept = ("verdict", "issues", "normalised", "rules_version", "processed_at", "country")
        assert [getattr(edited, name) for name in kept] == [getattr(made, name) for name in kept]

    def test_is_logged_with_before_and_after(self, operator):
        made = factories.record(town="Berlin")
        operator.post(page(made), form_of(made, town="Bonn"))
        entry = Activity.objects.get(verb="record.edited")
        assert entry.actor == operator.user.username
        assert entry.object_id == str(made.pk)
        assert entry.details == {"changes": {"town": ["Berlin", "Bonn"]}}

    def test_without_a_change_writes_nothing(self, operator):
        made = factories.processed()
        operator.post(page(made), form_of(made))
        assert YourModel.objects.get(pk=made.pk).processed
        assert not Activity.objects.filter(verb="record.edited").exists()

    def test_keeps_an_outcome_that_came_while_the_page_was_open(self, operator):
        made = factories.record(country="Deutschland")
        form = form_of(made, town="Bonn")
        made.process()
        made.save()
        operator.post(page(made), form)
        edited = YourModel.objects.get(pk=made.pk)
        assert (edited.town, edited.verdict, edited.processed) == ("Bonn", made.verdict, False)

    def test_over_somebody_elses_edit_is_refused(self, operator):
        made = factories.record(town="Berlin")
        form = form_of(made, name="Mine")
        YourModel.objects.filter(pk=made.pk).update(town="Bonn")
        response = operator.post(page(made), form)
        assert "Somebody changed this after you opened it" in response.content.decode()
        assert YourModel.objects.get(pk=made.pk).town == "Bonn"

    def test_by_an_auditor_is_refused(self, auditor):
        made = factories.record(town="Berlin")
        assert auditor.post(page(made), form_of(made, town="Bonn")).status_code == 403
        assert YourModel.objects.get(pk=made.pk).town == "Berlin"

    def test_adding_is_logged(self, operator):
        operator.post(f"{LIST}add/", {"reference": "NEW-1", "role": "buyer", "name": "New"})
        assert Activity.objects.get(verb="record.added").target == "NEW-1 New"


class TestDeleting:
    def test_is_logged(self, admin_client):
        made = factories.record()
        admin_client.post(reverse("admin:records_yourmodel_delete", args=[made.pk]), {"post": "yes"})
        assert Activity.objects.get(verb="record.deleted").object_id == str(made.pk)

    def test_of_a_selection_is_logged_record_by_record(self, admin_client):
        chosen = [factories.record().pk for _ in range(3)]
        admin_client.post(LIST, {"action": "delete_selected", ACTION_CHECKBOX_NAME: chosen, "post": "yes"})
        assert not YourModel.objects.exists()
        assert Activity.objects.filter(verb="record.deleted").count() == 3
