"""Next and previous on a record's page: the order and the filter of the list it was opened from."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse

from backoffice.runs.start import start
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.probe.models import Kinds

pytestmark = pytest.mark.django_db
LIST = "/admin/probe/kinds/"
NUMBER, OWNER, DAY, WHEN = 1, 2, 3, 4  # columns


@pytest.fixture
def boss(client):
    client.force_login(factories.user(is_superuser=True))
    return client


@pytest.fixture
def kinds():
    """Equal values, and none, in every column."""
    owners = [None, factories.user(username="zoe"), factories.user(username="adam")]
    days = [date(2026, 1, 2), None, date(2025, 1, 2)]
    for number in range(12):
        when = datetime(2026, 1, 1, number % 4, tzinfo=UTC) if number % 4 else None
        Kinds.objects.create(number=number % 5, owner=owners[number % 3], day=days[number % 3 - 1], when=when)


def step(client, record, way, query):
    """The number of the record that one comes to, and the filter that goes along."""
    name = f"admin:{record._meta.app_label}_{record._meta.model_name}_step"
    answer = client.get(reverse(name, args=[record.pk, way]), {"_changelist_filters": query} if query else {})
    assert answer.status_code == 302
    parts = urlsplit(answer["Location"])
    kept = parse_qs(parts.query).get("_changelist_filters", [""])[0]
    return int(parts.path.split("/")[-3]), kept


@pytest.mark.parametrize("filtered", [{}, {"day__isnull": "False"}], ids=["all", "filtered"])
@pytest.mark.parametrize("order", ["", f"{NUMBER}", f"-{OWNER}.{DAY}", f"{DAY}.-{WHEN}", f"-{WHEN}"])
def test_they_walk_the_list_as_it_is_sorted_and_filtered(boss, kinds, order, filtered):
    query = urlencode(filtered | ({"o": order} if order else {}))
    listed = [row.pk for row in boss.get(f"{LIST}?{query}").context["cl"].result_list]
    assert len(listed) == (8 if filtered else 12)
    for way, rows in (("next", listed), ("previous", listed[::-1])):
        for pk, expected in zip(rows, [*rows[1:], rows[-1]], strict=True):
            assert step(boss, Kinds(pk=pk), way, query) == (expected, query)


def test_a_record_that_the_filter_has_lost_has_its_neighbours_still(boss):
    first, mended, last = (factories.record(reference=f"N{n}", verdict="review") for n in range(3))
    YourModel.objects.filter(pk=mended.pk).update(verdict="valid")
    assert step(boss, mended, "next", "verdict=review") == (last.pk, "verdict=review")
    assert step(boss, mended, "previous", "verdict=review")[0] == first.pk
    answer = boss.get(reverse("admin:records_yourmodel_step", args=[last.pk, "next"]), follow=True)
    assert "This is the last one of the list." in answer.text


@pytest.mark.parametrize("query", ["verdict=review&q=N", "nonsense=1", "id=a"])
def test_an_odd_filter_leads_nowhere_and_a_search_onwards(boss, query):
    made = [factories.record(reference=f"N{n}", verdict="review") for n in range(2)]
    assert step(boss, made[0], "next", query)[0] == made["q=" in query].pk


def test_it_counts_nothing_and_asks_for_one_row(boss, django_assert_max_num_queries):
    made = [factories.record(reference=f"N{n}") for n in range(3)]
    step(boss, made[0], "next", "")
    with django_assert_max_num_queries(12) as asked:
        step(boss, made[0], "next", "")
    assert not [each["sql"] for each in asked.captured_queries if "COUNT(" in each["sql"]]


def test_nobody_steps_who_may_not_see_the_record(client):
    client.force_login(factories.user())
    made = factories.record()
    assert client.get(reverse("admin:records_yourmodel_step", args=[made.pk, "next"])).status_code == 403


def test_from_a_runs_page_they_walk_what_it_lists(boss):
    made = [factories.record(reference=f"N{n}", country="Atlantis" if n % 2 else "DE") for n in range(6)]
    run = work_off(start([row.pk for row in made[:5]], "process_model_instance"))
    (word,) = run.tallies.filter(number=2).values_list("key", flat=True)
    page = boss.get(reverse("admin:runs_run_change", args=[run.pk]), {"outcome": word}).context["page"]
    assert [line.item.record_id for line in page.lines] == [made[1].pk, made[3].pk]
    query = parse_qs(urlsplit(page.lines[0].record_url).query)["_changelist_filters"][0]
    assert step(boss, made[1], "next", query) == (made[3].pk, query)
    assert step(boss, made[3], "next", query) == (made[3].pk, query)
    assert step(boss, made[3], "previous", query) == (made[1].pk, query)
    assert boss.get(page.lines[0].record_url).status_code == 200
    made[3].delete()
    assert step(boss, made[1], "next", query)[0] == made[1].pk
    assert boss.get(f"/admin/records/yourmodel/?{query}").url == "/admin/records/yourmodel/"
    type(run).objects.all().delete()
    assert step(boss, made[1], "next", query)[0] == made[2].pk
