"""The filters of the record list, on whichever database the tests run."""

import pytest
from django.test import RequestFactory

from records.checks import codes
from records.filters import CountryFilter, IssueFilter, VerdictFilter, with_issue
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db


def chosen(filter_class, **query):
    request = RequestFactory().get("/", query)
    made = filter_class(request, {key: [value] for key, value in query.items()}, YourModel, None)
    return list(made.queryset(request, YourModel.objects.order_by("reference")))


def test_the_issue_filter_finds_records_by_the_code_of_any_issue():
    wrong = factories.processed(email="nobody", country="Deutschland")
    factories.processed()
    assert chosen(IssueFilter, issue="email.no_at") == [wrong]
    assert chosen(IssueFilter, issue="country.format") == [wrong]


def test_a_code_that_is_only_part_of_another_finds_nothing():
    factories.processed(email="nobody")
    assert not with_issue(YourModel.objects.all(), "email.no").exists()


def test_a_message_that_mentions_a_code_is_not_taken_for_it():
    issue = {"field": "name", "code": "name.missing", "severity": "error", "message": '"code": "email.no_at"'}
    factories.record(issues=[issue], issue_codes="name.missing")
    assert not with_issue(YourModel.objects.all(), "email.no_at").exists()


def test_an_underscore_in_a_code_stands_for_itself():
    factories.record(issue_codes="email.noXat")
    assert not with_issue(YourModel.objects.all(), "email.no_at").exists()


def test_a_code_that_does_not_exist_finds_nothing_and_breaks_nothing():
    factories.processed(email="nobody")
    assert chosen(IssueFilter, issue="' OR 1=1 --") == []


def test_every_code_of_the_checks_is_offered_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        made = IssueFilter(RequestFactory().get("/"), {}, YourModel, None)
    any_issue, *groups = made.lookup_choices
    assert any_issue[0] == "any"
    assert sorted(code for _, group in groups for code, _ in group) == sorted(codes())


def test_any_issue_is_found_and_none_is_left_out():
    wrong, other = factories.processed(email="nobody"), factories.processed(country="Deutschland")
    factories.processed(), factories.record()
    assert chosen(IssueFilter, issue="any") == [wrong, other]


def test_verdicts_can_be_filtered_and_so_can_their_absence():
    processed, waiting = factories.processed(), factories.record()
    assert chosen(VerdictFilter, verdict=processed.verdict) == [processed]
    assert chosen(VerdictFilter, verdict="none") == [waiting]


def test_countries_are_offered_as_typed():
    for country in ("DE", "DE", "Deutschland", ""):
        factories.record(country=country)
    made = CountryFilter(RequestFactory().get("/"), {}, YourModel, None)
    assert made.lookup_choices == [("DE", "DE"), ("Deutschland", "Deutschland")]
    assert len(chosen(CountryFilter, country="DE")) == 2
