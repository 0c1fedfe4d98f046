"""The record list and its actions, as staff with various permissions see them."""

import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from backoffice.runs.models import Run
from backoffice.runs.pages.listing import named
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"


def page(record):
    return reverse("admin:records_yourmodel_change", args=[record.pk])


class TestTheList:
    def test_shows_the_verdict_and_the_worst_issue_in_words_and_a_badge_only_where_somebody_should_look(self, operator):
        factories.processed(email="nobody", country="Deutschland")
        factories.processed()
        factories.record()
        html = operator.get(LIST).content.decode()
        assert "bo-badge--bad" in html
        assert ">E-mail: no @ sign</span>" in html
        assert re.search(r"no @ sign</span>\s*<span[^>]*>\+1</span>", html)
        assert re.search(r'<span class="bo-plain">valid</span>', html)
        assert html.count("bo-badge ") == 1

    def test_sorts_by_what_is_wrong(self, operator):
        wrong, right = "nobody", "a@example.org"
        typed = ((wrong, "DE"), (right, "DE"), (right, "Deutschland"), (wrong, "DE"))
        made = [factories.processed(email=email, country=country) for email, country in typed]
        column = operator.get(LIST).context["cl"].list_display.index("main_issue")
        shown = operator.get(LIST, {"o": f"-{column}"}).context["cl"].result_list
        assert [row.pk for row in shown] == [made[3].pk, made[0].pk, made[2].pk, made[1].pk]

    def test_calls_a_record_correctable_that_has_suggestions(self, operator):
        made = factories.processed(country="Deutschland")
        assert made.verdict == "corrected"
        for address in (LIST, page(made)):
            html = operator.get(address).content.decode()
            assert ">correctable</span>" in html
            assert not re.search(r">\s*corrected\s*<", html)

    def test_says_the_words_of_a_filter_on_the_page_of_its_run(self, operator):
        factories.processed(country="Deutschland")
        data = {"action": "process_selected", "select_across": "1", "_selected_action": [1], "confirmed": "1"}
        operator.post(f"{LIST}?verdict=corrected&role__exact=supplier", data)
        assert Run.objects.get().selection == "verdict: correctable; role: supplier"

    @pytest.mark.parametrize("term", ["T-SEARCH", "Needle", "DE999", "needle@example.org", "Nadelstadt"])
    def test_finds_reference_name_tax_id_email_and_town(self, operator, term):
        wanted = factories.record(
            reference="T-SEARCH", name="Needle", tax_id="DE999", email="needle@example.org", town="Nadelstadt"
        )
        factories.record()
        assert [row.pk for row in operator.get(LIST, {"q": term}).context["cl"].result_list] == [wanted.pk]

    def test_walks_an_index_where_it_sorts_by_what_is_wrong_and_where_it_counts_for_a_named_filter(
        self, operator, is_sqlite, monkeypatch
    ):
        if not is_sqlite:
            pytest.skip("PostgreSQL reads a handful of rows without any index")
        column = operator.get(LIST).context["cl"].list_display.index("main_issue")
        for order in (f"{column}", f"-{column}"):
            assert "TEMP B-TREE" not in operator.get(LIST, {"o": order}).context["cl"].queryset[:50].explain(), order
        plans = list[str]()
        monkeypatch.setattr(named, "counted", lambda rows: plans.extend(row.explain() for row in rows.values()) or {})
        operator.get(LIST)
        assert len(plans) >= 4
        assert all("USING COVERING INDEX" in plan or "USING INDEX" in plan for plan in plans)

    def test_asks_the_same_number_of_questions_for_one_record_and_for_a_hundred(
        self, operator, django_assert_max_num_queries
    ):
        factories.processed()
        operator.get(LIST)  # content types and permissions are cached now
        with django_assert_max_num_queries(11) as one:
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
        with django_assert_max_num_queries(11) as one:
            operator.get(LIST)
        with django_assert_max_num_queries(len(one) + 2):
            assert len(operator.get(LIST, query).context["cl"].result_list) == 50

    def test_offers_filters_for_all_that_staff_ask_for(self, operator):
        factories.record()
        titles = [str(spec.title) for spec in operator.get(LIST).context["cl"].filter_specs]
        assert titles == [
            *("verdict", "last check", "processed", "role", "country"),
            *("issue", "accepted issues", "possible duplicates"),
        ]

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
        wanted = {"process_selected", "process_later", "apply_corrections", "edit_selected", "export_selected"}
        wanted |= {"apply_and_check", "accept_issues", "withdraw_acceptance"}
        assert self.actions(operator) == wanted

    def test_an_auditor_sees_export_only(self, auditor):
        factories.record()
        assert self.actions(auditor) == {"export_selected"}

    @pytest.mark.parametrize("action", ["process_selected", "process_later", "apply_corrections", "edit_selected"])
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
