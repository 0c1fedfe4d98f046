"""FAULTS 24: a simulated week against an independent cron, through a clock change and three hours of downtime.

The other cron is cronsim, that of healthchecks.io. Two differences are meant. Celery wants day of month AND day of week
where cron takes either: the other cron is asked twice, and what both answers hold is expected. And a time that the
clock change leaves out, cron makes up for at the end of the gap; here it is moved by the gap (02:30 becomes 03:30).
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import cronsim
import pytest

from backoffice.schedules.models import Firing, Missed, Overlap, ScheduleState
from backoffice.schedules.rules.timing import Crontab
from tests.schedules import factories, rounds

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
CHANGES = {  # the moment in UTC at which the clock changes
    "Europe/Berlin": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00"),
}
CRONTABS = (
    "30 2 * * *",
    "0 2 * * *",
    "15 1,4 * * *",
    "45 1,3,22 * * *",
    "7 */1 * * *",
    "*/20 * * * 0",
    "0 8 * * 1-5",
    "30 2 * * 0",
    "5 0 1,15,25,29 * *",
    "10 6 8,25,29 * 0",
    "59 23 * 3,10,11 6",
)


def expected(text: str, start: datetime, end: datetime) -> list[datetime]:
    minute, hour, day, month, weekday = text.split()
    by_day, by_weekday = f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {weekday}"
    both = set(others(by_day, start, end)) & set(others(by_weekday, start, end))
    return sorted(both)


def others(text: str, start: datetime, end: datetime) -> list[datetime]:
    # In UTC: two moments of one zone that the clock shows twice would count as equal.
    return [t.astimezone(UTC) for t in takewhile(lambda t: t <= end, cronsim.CronSim(text, start))]


def in_spite_of_downtime(times: list[datetime], missed: str, down: datetime, up: datetime) -> list[datetime]:
    """What the option promises of those that passed while nothing ran."""
    during = [t for t in times if down < t <= up]
    kept = {Missed.EACH: during, Missed.ONCE: during[-1:], Missed.SKIP: []}[Missed(missed)]
    return [t for t in times if t not in during or t in kept]


def same(ours: datetime, theirs: datetime, zone: ZoneInfo) -> bool:
    """Equal, or cron's is the end of a gap and ours was moved by it."""
    just_before = (theirs - timedelta(minutes=1)).astimezone(zone)
    after_a_gap = theirs.astimezone(zone).utcoffset() - just_before.utcoffset()
    return ours == theirs or timedelta() < ours - theirs < after_a_gap


@pytest.mark.parametrize(("zone", "at"), [(zone, at) for zone, changes in CHANGES.items() for at in changes])
def test_four_months_of_due_times_is_what_another_cron_says(zone, at, clock):
    clock.set(at)
    change, local = clock.at, ZoneInfo(zone)
    start, end = change - timedelta(days=60), change + timedelta(days=60)
    for text in CRONTABS:
        ours = list(takewhile(lambda t: t <= end, Crontab.parse(*text.split(), local).after(start)))
        theirs = expected(text, start.astimezone(local), end)
        assert len(ours) == len(theirs) > 0, text
        assert all(same(our, their, local) for our, their in zip(ours, theirs, strict=True)), text


@pytest.mark.parametrize(("zone", "at"), [(zone, at) for zone, changes in CHANGES.items() for at in changes])
@pytest.mark.long
@pytest.mark.once
def test_a_week_with_a_clock_change_and_downtime_fires_what_another_cron_says(zone, at, clock):
    clock.set(at)
    change, local = clock.at, ZoneInfo(zone)
    start, end = change - timedelta(days=4), change + timedelta(days=3)
    down, up = change - 1.5 * HOUR, change + 1.5 * HOUR + timedelta(seconds=50)
    clock.at = start
    plan = {}
    for number, text in enumerate(CRONTABS):
        row = factories.row(text, crontab=factories.crontab(text, zone))
        missed = Missed.values[(number + start.month) % 3]
        ScheduleState.objects.create(schedule=row, missed=missed, overlap=Overlap.ALLOW)
        plan[row] = (missed, expected(text, start.astimezone(local), end))
    live_through(clock, sorted({t for _, times in plan.values() for t in times}), down, up)

    for row, (missed, times) in plan.items():
        fired = list(Firing.objects.filter(schedule=row, state="sent").order_by("due_at"))
        wanted = in_spite_of_downtime(times, missed, down, up)
        assert len(fired) == len(wanted), (row, missed, [f.due_at for f in fired], wanted)
        assert all(same(f.due_at, t, local) for f, t in zip(fired, wanted, strict=True)), (row, missed)
        skipped = sum(Firing.objects.filter(schedule=row, state="skipped").values_list("times", flat=True))
        assert skipped == len(times) - len(wanted)
    assert not any(f.sent_at < f.due_at for f in Firing.objects.filter(state="sent"))


def live_through(clock, times: list[datetime], down: datetime, up: datetime) -> None:
    """A round a second before and after each time and now and then; between `down` and `up` no beat runs."""
    half_hours = [times[0] + n * HOUR / 2 for n in range(int((times[-1] - times[0]) / HOUR) * 2 + 2)]
    moments = sorted({t + timedelta(seconds=s) for t in times for s in (-1, 1)} | {*half_hours, up})
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    for moment in moments:
        if down < moment < up:
            continue
        clock.at = moment
        if moment == up:
            scheduler = rounds.beat()
            scheduler.leader.name = "beat@another/1"
        rounds.round_of(scheduler)
