"""Tiles and bars: what they say of the counts, and to whom."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from backoffice.desk.home import chart, tiles
from backoffice.desk.models import DayCount
from backoffice.runs.seam import ProcessableAdmin
from records.models import YourModel
from tests.factories import user
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db

RECORDS, REVIEW = "records.yourmodel", "verdict=review"


def asked_by(*permissions: str, **fields) -> HttpRequest:
    request = HttpRequest()
    request.user = user(*permissions, **fields)
    return request


def counted(number: int, days_ago: int = 0, kind: str = "waiting", key: str = REVIEW, ago: timedelta = timedelta(0)):
    day, at = timezone.localdate() - timedelta(days=days_ago), timezone.now() - ago
    DayCount.objects.create(day=day, label=RECORDS, kind=kind, key=key, number=number, counted_at=at)


def shown(request: HttpRequest) -> list[tiles.Tiles]:
    return tiles.tiles(request, list(tiles.counted(request, tiles.LOOKED_BACK)))


def drawn(request: HttpRequest) -> list[chart.Chart]:
    return chart.charts(request, list(tiles.counted(request, chart.DAYS)))


@pytest.mark.parametrize(
    ("before", "days_ago", "moved"),
    [
        (1_100, 1, "89 fewer than yesterday"),
        (10, 1, "1,001 more than yesterday"),
        (1_011, 1, "as many as yesterday"),
        (1_000, 30, ""),
        (None, 0, ""),
    ],
)
def test_a_tile_says_how_many_and_whether_they_are_fewer_than_the_day_before(before, days_ago: int, moved: str):
    counted(1_011)
    if before is not None:
        counted(before, days_ago)
        counted(7, days_ago + 1)
    [own] = shown(asked_by("records.view_yourmodel"))
    assert (own.title, own.url, own.age) == ("Records", "/admin/records/yourmodel/", "Counted now.")
    first = own.tiles[0]
    assert (first.words, first.number, first.moved) == ("To review", "1,011", moved)
    assert first.url == f"/admin/records/yourmodel/?{REVIEW}"
    assert own.tiles[1].number == ""  # nobody has counted it


def test_a_day_that_was_not_yesterday_is_named():
    counted(5), counted(9, days_ago=3)
    day = timezone.localdate() - timedelta(days=3)
    assert shown(asked_by("records.view_yourmodel"))[0].tiles[0].moved == f"4 fewer than {day.day} {day:%b}"


def test_counts_that_nobody_renews_say_so():
    counted(5, ago=timedelta(hours=3))
    [own] = shown(asked_by("records.view_yourmodel"))
    assert (own.is_late, own.age) == (True, "Counted 3\xa0hours ago, and not since: see Health.")


def test_who_may_not_open_a_list_is_told_nothing_of_it():
    counted(5), counted(5, kind="outcome", key="valid")
    assert [each.title for each in shown(asked_by("second.view_invoice"))] == ["Invoices"]
    assert drawn(asked_by("second.view_invoice")) == []
    assert (shown(asked_by()), drawn(asked_by())) == ([], [])


def test_a_list_that_shows_each_person_other_rows_tells_no_number_of_all(monkeypatch: pytest.MonkeyPatch):
    class OwnRows(ProcessableAdmin):
        def get_queryset(self, request):
            return super().get_queryset(request).filter(town=request.user.username)

    own = admin.site._registry[YourModel]
    monkeypatch.setattr(type(own), "get_queryset", OwnRows.get_queryset)
    counted(5), counted(5, kind="outcome", key="valid")
    request = asked_by("records.view_yourmodel")
    assert [tile.number for tile in shown(request)[0].tiles] == [""] * 6
    assert drawn(request) == []
    assert "5" in {each.tiles[0].number for each in shown(asked_by(is_superuser=True))}


def test_a_teams_own_model_has_tiles_by_its_states_and_filters():
    request = asked_by("second.view_invoice")
    assert admin.site.is_registered(Invoice)
    [own] = shown(request)
    assert [(tile.words, tile.url.partition("?")[2]) for tile in own.tiles] == [
        ("Not processed", "processed__exact=0"),
        ("Possible duplicates", "duplicates=open"),
    ]


def test_outcomes_of_each_day_are_bars_in_the_words_and_order_of_pages():
    for key, number, days_ago in (("review", 3, 0), ("corrected", 2, 0), ("valid", 9, 1), ("valid", 1, 0), ("", 4, 1)):
        counted(number, days_ago, "outcome", key)
    counted(6, 1, "failed", "")
    [own] = drawn(asked_by("records.view_yourmodel"))
    told = [(outcome.word, outcome.numbers[-2:], outcome.total) for outcome in own.outcomes]
    assert told == [
        ("valid", [9, 1], 10),
        ("correctable", [0, 2], 2),
        ("other outcomes", [4, 0], 4),
        ("review", [0, 3], 3),
        ("failed", [6, 0], 6),
    ]
    assert len(own.days) == chart.DAYS
    assert len({outcome.tone for outcome in own.outcomes}) == 5
    assert [row.day for row in own.rows] == [own.days[-1], own.days[-2]]
