"""A filter under a name, of one person: saved, opened and taken away."""

import pytest
from django.test import Client

from backoffice.desk.models import SavedView
from backoffice.desk.saved import pages
from tests.factories import member, processed, user

pytestmark = pytest.mark.django_db
RECORDS, SAVE = "/admin/records/yourmodel/", "/admin/desk/views/"


def save(client: Client, name: str = "Mine", query: str = "verdict=invalid&p=2&o=2", label: str = "records.yourmodel"):
    return client.post(SAVE, {"label": label, "name": name, "query": query})


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(member("Operator"))
    return client


def test_a_saved_view_stands_above_its_list_and_leads_to_its_rows(operator: Client):
    made = processed(email="nobody")
    processed()
    assert save(operator)["Location"] == f"{RECORDS}?verdict=invalid&o=2"
    assert f'href="{RECORDS}?verdict=invalid&amp;o=2"' in operator.get(RECORDS).text
    answer = operator.get(f"{RECORDS}?verdict=invalid&o=2")
    assert [row.pk for row in answer.context["cl"].result_list] == [made.pk]
    assert "data-here" in answer.text
    assert "Mine" not in operator.get("/admin/runs/run/").text


def test_it_is_of_one_person(operator: Client, client: Client):
    save(operator)
    view = SavedView.objects.get()
    other = Client()
    other.force_login(member("Operator"))
    assert "Mine" not in other.get(RECORDS).text
    assert other.post(f"{SAVE}{view.pk}/remove/").status_code == 404
    assert SavedView.objects.exists()
    assert operator.post(f"{SAVE}{view.pk}/remove/", {"query": "q=a"})["Location"] == f"{RECORDS}?q=a"
    assert not SavedView.objects.exists()


def test_who_may_not_see_a_list_saves_no_view_of_it(client: Client):
    assert save(client).status_code == 302  # to the login
    client.force_login(user())
    assert save(client).status_code == 403
    assert save(client, label="auth.user").status_code == 403
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("label", ["", "x", "records.nothing", "no.such", "runs.runitem", "a.b.c", "\x00"])
def test_of_what_is_no_list_there_is_no_view(operator: Client, label: str):
    assert save(operator, label=label).status_code == 404


@pytest.mark.parametrize(
    ("name", "query"), [("", "q=a"), (" ", "q=a"), ("x" * 61, "q=a"), ("x", ""), ("x", "p=3"), ("x", "q=" + "a" * 2000)]
)
def test_what_cannot_be_saved_is_said(operator: Client, name: str, query: str):
    answer = operator.post(SAVE, {"label": "records.yourmodel", "name": name, "query": query}, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["warning"]
    assert not SavedView.objects.exists()


def test_of_the_same_name_the_last_one_counts_and_there_are_not_too_many(operator: Client, monkeypatch):
    monkeypatch.setattr(pages, "MOST", 2)
    for name, query in (("A", "q=a"), ("B", "q=b"), ("A", "q=c"), ("C", "q=d")):
        save(operator, name, query)
    assert list(SavedView.objects.values_list("name", "query")) == [("A", "q=c"), ("B", "q=b")]
