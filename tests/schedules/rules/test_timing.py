"""Due times, against a minute-by-minute reading of the clock and across both clock changes (FAULTS 24)."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.schedules.rules.timing import Crontab
from tests.properties import tries

pytestmark = pytest.mark.once

BERLIN = ZoneInfo("Europe/Berlin")


def crontab(text: str, zone=UTC) -> Crontab:
    minute, hour, day, month, weekday = text.split()
    return Crontab.parse(minute, hour, day, month, weekday, zone)


def due(text: str, start: str, end: str, zone=UTC) -> list[str]:
    after = datetime.fromisoformat(start).replace(tzinfo=UTC)
    until = datetime.fromisoformat(end).replace(tzinfo=UTC)
    times = takewhile(lambda t: t <= until, crontab(text, zone).after(after))
    return [f"{t:%d %H:%M}" for t in times]


def test_a_time_that_does_not_exist_is_moved_by_the_gap():
    # 29 March 2026: 02:00 becomes 03:00 in Berlin
    assert due("30 2 * * *", "2026-03-28T00:00", "2026-03-31T00:00", BERLIN) == ["28 01:30", "29 01:30", "30 00:30"]


def test_a_time_that_comes_twice_fires_the_first_time():
    # 25 October 2026: 03:00 becomes 02:00 in Berlin
    assert due("30 2 * * *", "2026-10-24T00:00", "2026-10-27T00:00", BERLIN) == ["24 00:30", "25 00:30", "26 01:30"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_crontab_of_every_hour_follows_real_time_through_the_clock_change(day):
    times = due("*/20 * * * *", f"{day}T00:00", f"{day}T04:00", BERLIN)
    assert len(times) == 12
    assert times == sorted(set(times))


def test_a_crontab_moved_onto_another_of_its_times_fires_once():
    assert due("30 2,3 * * *", "2026-03-29T00:00", "2026-03-29T06:00", BERLIN) == ["29 01:30"]


def test_day_of_month_and_day_of_week_must_both_match():
    assert due("0 0 13 * 5", "2026-01-01T00:00", "2026-12-31T00:00") == ["13 00:00", "13 00:00", "13 00:00"]


def test_the_29th_of_february_on_a_monday_is_found_years_ahead():
    after = datetime(2026, 1, 1, tzinfo=UTC)
    assert next(crontab("0 0 29 2 1").after(after)).year == 2044


FIELDS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}


@st.composite
def field(draw, low: int, high: int) -> str:
    kind = draw(st.sampled_from(["*", "step", "list", "range"]))
    if kind == "*":
        return "*"
    if kind == "step":
        return f"*/{draw(st.integers(1, high))}"
    first, second = sorted(draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    return f"{first}-{second}" if kind == "range" else f"{first},{second}"


crontabs = st.builds(lambda *parts: " ".join(parts), *(field(low, high) for low, high in FIELDS.values()))


@settings(deadline=None, max_examples=tries(60))
@given(crontabs, st.integers(0, 2 * 365 * 24 * 3600))
def test_a_week_of_due_times_is_what_reading_the_clock_each_minute_gives(text, seconds):
    try:
        found = crontab(text)
    except Exception:  # Celery refuses days that never occur
        return
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    end = after + timedelta(days=7)
    expected = [minute for minute in minutes(after, end) if matches(found, minute)]
    assert list(takewhile(lambda t: t <= end, islice(found.after(after), 20_000))) == expected


def minutes(after: datetime, end: datetime) -> list[datetime]:
    first = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return [first + timedelta(minutes=n) for n in range(int((end - first) / timedelta(minutes=1)) + 1)]


def matches(found: Crontab, t: datetime) -> bool:
    return (
        t.minute in found.minutes
        and t.hour in found.hours
        and t.day in found.days
        and t.month in found.months
        and (t.weekday() + 1) % 7 in found.weekdays
    )
