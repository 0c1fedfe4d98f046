"""What waits in each list, and what came of records by day, as a worker counts it for the desk."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import OperationalError, connection
from django.utils import timezone

from backoffice.desk.home import counting
from backoffice.desk.models import DayCount
from backoffice.desk.tasks import count_records
from backoffice.runs.models import Run, Tally
from records.models import YourModel
from tests.desk import factories
from tests.factories import record
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db

RECORDS, INVOICES = "records.yourmodel", "second.invoice"


def counts(kind: str, label: str = RECORDS) -> dict[str, int]:
    rows = DayCount.objects.filter(kind=kind, label=label, day=timezone.localdate())
    return dict(rows.values_list("key", "number"))


def ended(days_ago: int = 0, failed: int = 0, purpose: str = Run.Purpose.REAL, **tallies: int) -> Run:
    made = factories.run(finished_at=timezone.now() - timedelta(days=days_ago), failed=failed, purpose=purpose)
    Tally.objects.bulk_create(Tally(run=made, kind="outcome", key=key, number=n) for key, n in tallies.items())
    return made


def test_every_named_filter_is_counted_and_counted_anew():
    record(verdict="review", processed=True), record()
    count_records()
    assert counts("waiting") == {
        "verdict=review": 1, "verdict=corrected": 0, "verdict=invalid": 0, "processed__exact=0": 1,
        "last=failed": 0, "duplicates=open": 0,
    }  # fmt: skip
    YourModel.objects.update(processed=True)
    count_records()
    assert counts("waiting")["processed__exact=0"] == 0


def test_a_teams_own_records_are_counted_by_what_their_admin_says_of_them():
    Invoice.objects.create(number="1", net=1), Invoice.objects.create(number="2", net=1, processed=True)
    count_records()
    assert counts("waiting", INVOICES) == {"processed__exact=0": 1, "duplicates=open": 0}


def test_a_filter_that_cannot_be_asked_stops_no_other(monkeypatch: pytest.MonkeyPatch):
    class Broken(admin.SimpleListFilter):
        title = parameter_name = "broken"

        def lookups(self, request, model_admin):
            return [("1", "yes")]

        def queryset(self, request, queryset):
            return queryset.filter(pk=1 / int(self.value() == "0")) if self.value() else queryset

    own = admin.site._registry[YourModel]
    named = ("nonsense=1", "processed__exact=what", "broken=1", "verdict=review")
    monkeypatch.setattr(own, "list_filter", (*own.list_filter, Broken))
    monkeypatch.setattr(own, "named_filters", [(query, query) for query in named])
    count_records()
    assert counts("waiting") == {"verdict=review": 0}


def test_outcomes_are_added_up_by_the_day_on_which_their_run_ended():
    ended(valid=3, review=1), ended(valid=2, failed=4), ended(days_ago=1, valid=7)
    ended(purpose=Run.Purpose.UNDO, restored=9)
    for _again in range(2):
        count_records()
        assert counts("outcome") == {"valid": 5, "review": 1}
        assert counts("failed") == {"": 4}
    rows = DayCount.objects.filter(label=RECORDS, kind="outcome").order_by("day", "key")
    assert [row.number for row in rows] == [7, 1, 5]


def test_what_was_counted_stays_when_its_runs_are_gone():
    for days in (1, 2, 3):
        ended(days_ago=days, valid=days)
    count_records()
    Run.objects.filter(finished_at__lt=timezone.now() - timedelta(days=1, hours=12)).delete()
    for _again in range(3):
        count_records()
    rows = DayCount.objects.filter(label=RECORDS, kind="outcome").order_by("-day")
    assert [row.number for row in rows] == [1, 2, 3]


def test_of_very_many_outcomes_the_commonest_are_told_and_the_others_together():
    ended(**{f"outcome {n:02}": n + 1 for n in range(30)})
    count_records()
    found = counts("outcome")
    assert len(found) == counting.NAMED + 1
    assert found[""] == sum(range(1, 11))
    assert found["outcome 29"] == 30


def test_days_long_past_go():
    day = timezone.localdate() - counting.KEPT - timedelta(days=1)
    DayCount.objects.create(
        day=day, label=RECORDS, kind="waiting", key="processed__exact=0", number=1, counted_at=timezone.now()
    )
    count_records()
    assert not DayCount.objects.filter(day=day).exists()


def test_a_database_that_is_away_is_no_failure_that_stands():
    def count() -> None:
        connection.settings_dict = connection.settings_dict | {
            "NAME": "/no/such/folder",
            "HOST": "127.0.0.1",
            "PORT": 1,
        }
        with pytest.raises(OperationalError):
            DayCount.objects.exists()
        count_records()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(count).result()
