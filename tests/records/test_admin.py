"""The record list and the record's page, as staff with various permissions see them."""

import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from backoffice.results.models import Activity
from backoffice.runs.models import Run
from backoffice.runs.pages.edits import digests, written
from backoffice.runs.start import start
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"


def page(record):
    return reverse("admin:records_yourmodel_change", args=[record.pk])


def form_of(record, **changes):
    """As the browser sends it back: with what the page said it showed."""
    inputs = {field: getattr(record, field) for field in YourModel.INPUTS}
    return inputs | {"seen": written(digests(inputs))} | changes


@pytest.fixture
def operator(client):
    client.force_login(user := factories.member("Operator"))
    client.user = user
    return client


@pytest.fixture
def auditor(client):
    client.force_login(factories.member("Auditor"))
    return client


@pytest.fixture
def outsider(client):
    client.force_login(factories.user())
    return client


class TestTheList:
    def test_shows_verdict_and_processed_in_words(self, operator):
        factories.processed(email="nobody")
        factories.record()
        html = operator.get(LIST).content.decode()
        assert ">invalid</span>" in html
        assert ">processed</span>" in html
        assert ">not processed</span>" in html

    def test_calls_a_record_correctable_that_has_suggestions(self, operator):
        made = factories.processed(country="Deutschland")
        assert made.verdict == "corrected"
        for address in (LIST, page(made)):
            html = operator.get(address).content.decode()
            assert ">correctable</span>" in html
            assert not re.search(r">\s*corrected\s*<", html)

    def test_says_the_words_of_a_filter_on_the_page_of_its_run(self, operator):
        factories.processed(country="Deutschland")
        data = {"action": "process_selected", "select_across": "1", "_selected_action": [1]}
        operator.post(f"{LIST}?verdict=corrected&role__exact=supplier", data)
        assert Run.objects.get().selection == "verdict: correctable; role: supplier"

    @pytest.mark.parametrize("term", ["T-SEARCH", "Needle", "DE999", "needle@example.org", "Nadelstadt"])
    def test_finds_reference_name_tax_id_email_and_town(self, operator, term):
        wanted = factories.record(
            reference="T-SEARCH", name="Needle", tax_id="DE999", email="needle@example.org", town="Nadelstadt"
        )
        factories.record()
        assert [row.pk for row in operator.get(LIST, {"q": term}).context["cl"].result_list] == [wanted.pk]

    def test_asks_the_same_number_of_questions_for_one_record_and_for_a_hundred(
        self, operator, django_assert_max_num_queries
    ):
        factories.processed()
        operator.get(LIST)  # content types and permissions are cached now
        with django_assert_max_num_queries(8) as one:
            operator.get(LIST)
        for _ in range(99):
            factories.record()
        with django_assert_max_num_queries(len(one)):
            operator.get(LIST)

    @pytest.mark.parametrize("query", [{"q": "company"}, {"country": "DE"}, {"p": "2"}, {"q": "company", "p": "2"}])
    def test_found_or_turned_to_asks_at_most_two_more(self, operator, django_assert_max_num_queries, query):
        YourModel.objects.bulk_create(
            [YourModel(reference=f"Q{n:03}", name="Company", country="DE") for n in range(120)]
        )
        operator.get(LIST)
        with django_assert_max_num_queries(8) as one:
            operator.get(LIST)
        with django_assert_max_num_queries(len(one) + 2):
            assert len(operator.get(LIST, query).context["cl"].result_list) == 50

    def test_offers_filters_for_all_that_staff_ask_for(self, operator):
        factories.record()
        titles = [str(spec.title) for spec in operator.get(LIST).context["cl"].filter_specs]
        assert titles == ["verdict", "processed", "role", "country", "issue"]

    def test_a_filter_by_issue_shows_only_those(self, operator):
        wrong = factories.processed(email="nobody")
        factories.processed()
        response = operator.get(LIST, {"issue": "email.no_at", "verdict": "invalid"})
        assert [row.pk for row in response.context["cl"].result_list] == [wrong.pk]

    @pytest.mark.parametrize("query", ["country=%00", "issue=%00", "verdict=%00", "role__exact=%00", "nonsense__x=1"])
    def test_of_a_filter_that_cannot_be_says_so_and_never_shows_all(self, operator, query):
        factories.record()
        response = operator.get(f"{LIST}?{query}")
        assert response.status_code == 400
        assert "Nothing was shown and nothing was done." in response.content.decode()

    def test_of_less_than_a_page_is_complete_and_in_order(self, operator):
        for reference in ("Z", "B", "A"):
            factories.record(reference=reference, town="Here")
        factories.record()
        found = operator.get(LIST, {"q": "here"}).context["cl"]
        assert [row.reference for row in found.result_list] == ["A", "B", "Z"]
        assert found.result_count == 3

    def test_of_more_than_a_page_is_counted_in_full(self, operator):
        YourModel.objects.bulk_create([YourModel(reference=f"M{n:03}", name="n", country="FR") for n in range(150)])
        found = operator.get(LIST, {"country": "FR", "p": "2"}).context["cl"]
        assert (found.result_count, len(found.result_list)) == (150, 50)

    @pytest.mark.parametrize("query", [{}, {"q": "Same"}, {"country": "FR"}, {"o": "-1"}, {"o": "-2"}, {"o": "3.-2"}])
    def test_its_pages_are_its_records_in_order(self, operator, query):
        names = ["Same A", "Same B", "Same C"]
        made = [YourModel(reference=f"M{n:03}", name=names[n % 3], country="FR") for n in range(120)]
        YourModel.objects.bulk_create(made)
        shown = [
            row.reference
            for page in (1, 2, 3)
            for row in operator.get(LIST, {**query, "p": page}).context["cl"].result_list
        ]
        signs = {"-1": "-reference", "-2": "-name", "3.-2": "-name"}
        order = [signs[query["o"]]] if "o" in query else []
        assert shown == list(YourModel.objects.order_by(*order, "reference").values_list("reference", flat=True))


class TestTheActions:
    def actions(self, client):
        return {name for name, _ in client.get(LIST).context["action_form"].fields["action"].choices if name}

    def test_an_operator_sees_all_of_them_except_delete(self, operator):
        factories.record()
        wanted = {"process_selected", "process_later", "apply_corrections", "export_selected"}
        assert self.actions(operator) == wanted

    def test_an_auditor_sees_export_only(self, auditor):
        factories.record()
        assert self.actions(auditor) == {"export_selected"}

    @pytest.mark.parametrize("action", ["process_selected", "process_later", "apply_corrections"])
    def test_a_crafted_post_of_an_auditor_starts_nothing(self, auditor, action):
        made = factories.processed(country="Deutschland")
        auditor.post(LIST, {"action": action, ACTION_CHECKBOX_NAME: [made.pk], "index": "0"})
        assert not Run.objects.exists()

    def test_processing_a_selection_makes_a_run_and_lands_on_its_page(self, operator):
        made = factories.record()
        response = operator.post(LIST, {"action": "process_selected", ACTION_CHECKBOX_NAME: [made.pk], "index": "0"})
        run = Run.objects.get()
        assert (run.total, run.requester_id) == (1, operator.user.pk)
        assert response["Location"] == reverse("admin:runs_run_change", args=[run.pk])


class TestTheRecordsPage:
    def test_shows_input_beside_normal_form_beside_issue(self, operator):
        made = factories.processed(country="Deutschland", email="nobody")
        html = operator.get(page(made)).content.decode()
        for shown in ("Deutschland", "Suggestion:", "error", "no issue", made.rules_version, "Outcome"):
            assert shown in html

    def test_of_a_record_that_waits_says_so(self, operator):
        assert "no outcome to show" in operator.get(page(factories.record())).content.decode()

    def test_shows_corrections_with_before_and_after(self, operator):
        made = factories.processed(country="Deutschland")
        made.apply_corrections()
        made.save()
        html = operator.get(page(made)).content.decode()
        assert "Corrections made" in html
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
        assert response["Location"] == reverse("admin:runs_run_change", args=[run.pk])
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
