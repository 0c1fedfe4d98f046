"""Above the rows of every list: its filters as one form, the active ones as chips, named ones with their numbers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backoffice.runs.pages.listing import named
from records.models import YourModel
from tests.factories import processed, record, user
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
RECORDS, INVOICES, USERS = "/admin/records/yourmodel/", "/admin/second/invoice/", "/admin/auth/user/"


@pytest.fixture
def boss(client: Client) -> User:
    made = user(is_superuser=True)
    client.force_login(made)
    return made


def chips(client: Client, url: str, query: str) -> list[tuple[str, str, str]]:
    found = client.get(f"{url}?{query}").context["cl"].chips
    return [(chip.title, chip.words, chip.without) for chip in found]


@pytest.mark.parametrize(
    ("url", "query", "expected"),
    [
        (RECORDS, "verdict=corrected", ("verdict", "correctable", "?")),
        (RECORDS, "role__exact=buyer", ("role", "buyer", "?")),
        (RECORDS, "processed__exact=0", ("processed", "No", "?")),
        (RECORDS, "issue=email.no_at", ("issue", "E-mail: no @ sign", "?")),
        (RECORDS, "issue=any", ("issue", "any issue", "?")),
        (RECORDS, "duplicates=open", ("possible duplicates", "with a possible duplicate", "?")),
        (RECORDS, "country=DE&q=oy", ("country", "DE", "?q=oy")),
        (RECORDS, "q=oy", ("search", "“oy”", "?")),
        (RECORDS, "name__icontains=oy", ("name", "contains oy", "?")),
        (RECORDS, "role__in=buyer,supplier", ("role", "one of buyer, supplier", "?")),
        (RECORDS, "processed_at__isnull=1", ("processed at", "empty yes", "?")),
        (INVOICES, "duplicates=settled", ("possible duplicates", "said to be no duplicate", "?")),
        (USERS, "is_active__exact=0", ("active", "No", "?")),
        ("/admin/results/activity/", "since=2026-01-02", ("day", "2026-01-02", "?")),
    ],
)  # fmt: skip
def test_an_active_filter_is_told_in_words_and_can_be_taken_back_alone(client: Client, boss, url, query, expected):
    record(country="DE")
    assert chips(client, url, query)[0] == expected
    assert "Clear filters" in client.get(f"{url}?{query}").text


def test_a_list_without_filters_has_nothing_to_take_back(client: Client, boss):
    record()
    assert chips(client, RECORDS, "o=1&p=1") == []
    assert "Clear filters" not in client.get(RECORDS).text


@pytest.mark.parametrize(
    "url", [RECORDS, INVOICES, USERS, "/admin/runs/run/", "/admin/django_celery_beat/periodictask/"]
)
def test_every_filter_is_a_field_of_one_form_with_one_button(client: Client, boss, url: str):
    record(country="DE"), Invoice.objects.create(number="1", net=1)
    answer = client.get(url)
    specs = answer.context["cl"].filter_specs
    assert {spec.template for spec in specs} == {"unfold/filters/filters_field.html"}
    assert answer.text.count("Apply filters") == 1


def test_what_the_form_leaves_empty_is_not_in_the_address(client: Client, boss):
    answer = client.get(RECORDS, {"verdict": "review", "role__exact": "", "country": "", "_applied": "1", "o": "2"})
    assert answer["Location"] == f"{RECORDS}?verdict=review&o=2"


class TestNamedFilters:
    def links(self, client: Client, url: str = RECORDS) -> dict[str, tuple[str, bool]]:
        return {link.words: (link.number, link.is_here) for link in client.get(url).context["cl"].named_links}

    def test_say_how_many_there_are_and_which_of_them_is_shown(self, client: Client, boss):
        processed(email="nobody"), processed(country="Deutschland"), record()
        found = self.links(client, f"{RECORDS}?verdict=invalid&o=2")
        assert found["Invalid"] == ("1", True)
        assert found["Correctable"] == ("1", False)
        assert found["Not checked"] == ("1", False)
        assert found["To review"] == ("0", False)
        assert found["Last check failed"] == ("", False)  # no index counts it

    def test_count_no_further_than_anybody_reads(self, client: Client, boss, monkeypatch):
        monkeypatch.setattr(named, "MOST", 3)
        YourModel.objects.bulk_create([YourModel(reference=f"N{n}", name="n", verdict="review") for n in range(9)])
        assert self.links(client)["To review"] == ("3+", False)

    def test_lead_to_what_they_count(self, client: Client, boss):
        made = processed(email="nobody")
        processed()
        link = next(each for each in client.get(RECORDS).context["cl"].named_links if each.words == "Invalid")
        assert [row.pk for row in client.get(link.url).context["cl"].result_list] == [made.pk]

    def test_of_a_list_that_names_none_are_none(self, client: Client, boss):
        assert self.links(client, USERS) == {}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"{RECORDS}?q=nothing", "Nothing matches"),
        (RECORDS, "Add the first record here."),
        (f"{INVOICES}?duplicates=open", "Nothing matches"),
        ("/admin/results/activity/?q=nothing", "Nothing matches"),
        ("/admin/runs/run/", "Select records in their list"),
    ],
)
def test_an_empty_list_says_why_and_what_to_do(client: Client, boss, url: str, says: str):
    text = client.get(url).text
    assert says in text
    assert "0 rows" not in text


@pytest.mark.parametrize(
    ("url", "words"), [(RECORDS, ["Records"]), (f"{RECORDS}%s/change/", ["Records", "R1 Company"])]
)
def test_a_breadcrumb_says_no_word_twice(client: Client, boss, url: str, words: list[str]):
    made = record(reference="R1", name="Company")
    text = client.get(url.replace("%s", str(made.pk))).text
    head = text[text.index("<h1") : text.index("</h1>")]
    assert [part for part in words if part in head] == words
    assert head.count(">Records<") == 1


def test_the_tab_says_which_list_it_is_and_of_what(client: Client, boss):
    text = client.get(f"{RECORDS}?verdict=review").text
    assert "Records, verdict review | backoffice" in text[text.index("<title>") : text.index("</title>")]
