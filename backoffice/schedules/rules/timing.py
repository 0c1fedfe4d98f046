"""When a schedule is due. Pure functions over beat's rows; every time is aware and in UTC.

Celery computes "how long until" from the last run; here a schedule has due times, each a fact of its own, so that a
firing can be unique by (schedule, due time), missed ones can be counted, and downtime moves nothing.
Crontabs follow Celery's reading: day of month AND day of week must match. At the clock change a fixed hour that does
not exist is moved by the gap (02:30 becomes 03:30) and one that comes twice is taken the first time; a crontab of every
hour follows real time through both.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from celery import schedules
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

HORIZON_DAYS = 41 * 366  # 29 February on a given weekday comes at most 40 years apart (the century without one)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Crontab:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # Sunday is 0
    zone: tzinfo

    @classmethod
    def parse(cls, minute: str, hour: str, day: str, month: str, weekday: str, zone: tzinfo) -> "Crontab":
        """Celery's own parser. Raises whatever it raises: ParseException, ValueError, TypeError."""
        found = schedules.crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
        return cls(
            tuple(sorted(found.minute)),
            tuple(sorted(found.hour)),
            frozenset(found.day_of_month),
            frozenset(found.month_of_year),
            frozenset(found.day_of_week),
            zone,
        )

    def matches(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Due times later than `moment`, in order, each once."""
        last = moment
        for due in self._candidates(moment):
            if due > last:
                last = due
                yield due

    def _candidates(self, moment: datetime) -> Iterator[datetime]:
        try:
            # A day early: a time moved by a gap may belong to the day before.
            start = moment.astimezone(self.zone).date() - timedelta(days=1)
            for offset in range(HORIZON_DAYS):
                day = start + timedelta(days=offset)
                if self.matches(day):
                    yield from self._of_day(day)
        except OverflowError:  # the end of the calendar, or its beginning
            return

    def _of_day(self, day: date) -> list[datetime]:
        times = [
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone, fold=fold).astimezone(UTC)
            for hour in self.hours
            for minute in self.minutes
            for fold in self._folds
        ]
        if len(self.hours) == 24:  # follows real time: nothing moved by a gap, both of what comes twice
            times = [t for t in times if t.astimezone(self.zone).minute in self.minutes]
        return sorted(set(times))

    @property
    def _folds(self) -> tuple[int, ...]:
        return (0, 1) if len(self.hours) == 24 else (0,)


def crontab_of(schedule: PeriodicTask) -> Crontab:
    found = schedule.crontab
    zone = found.timezone if isinstance(found.timezone, tzinfo) else ZoneInfo(str(found.timezone))
    return Crontab.parse(found.minute, found.hour, found.day_of_month, found.month_of_year, found.day_of_week, zone)


def fingerprint(schedule: PeriodicTask) -> str:
    """The same as long as the due times are the same."""
    start = f" from {schedule.start_time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}" if schedule.start_time else ""
    if schedule.interval_id:
        return f"every {schedule.interval.every} {schedule.interval.period}{start}"
    if schedule.crontab_id:
        c = schedule.crontab
        fields = (c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
        return " ".join(["crontab", *(str(f).replace(" ", "") for f in fields), str(c.timezone)]) + start
    if schedule.clocked_id:
        return f"at {schedule.clocked.clocked_time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    return f"solar {schedule.solar}{start}"


def due_times(schedule: PeriodicTask, after: datetime) -> Iterator[datetime]:
    """Due times later than `after`, in order. Endless, but for a clocked row, which has one, and for `expires`."""
    for due in _endless(schedule, after):
        if schedule.expires and due > schedule.expires:
            return
        yield due


def _endless(schedule: PeriodicTask, after: datetime) -> Iterator[datetime]:
    if schedule.clocked_id:
        return iter([schedule.clocked.clocked_time.astimezone(UTC)] if schedule.clocked.clocked_time > after else [])
    start = schedule.start_time
    if schedule.crontab_id:
        return crontab_of(schedule).after(max(after, start - MICROSECOND) if start else after)
    if schedule.interval_id:
        return _interval(interval_of(schedule), after.astimezone(UTC), start.astimezone(UTC) if start else None)
    return _solar(schedule, max(after, start - MICROSECOND) if start else after)


def interval_of(schedule: PeriodicTask) -> timedelta:
    return timedelta(**{schedule.interval.period: schedule.interval.every})


def _interval(every: timedelta, after: datetime, start: datetime | None) -> Iterator[datetime]:
    due = start if start and after < start else after + every
    while True:
        yield due
        try:
            due += every
        except OverflowError:
            return


def _solar(schedule: PeriodicTask, after: datetime) -> Iterator[datetime]:
    solar, moment = schedule.solar.schedule, after
    while True:
        # A little later: computed from its own time the same sunset comes again some milliseconds on.
        moment += timedelta(minutes=1)
        solar.nowfun = lambda moment=moment: moment
        moment = (moment + solar.remaining_estimate(moment)).astimezone(UTC)
        yield moment


def next_due(schedule: PeriodicTask, after: datetime) -> datetime | None:
    return next(due_times(schedule, after), None)


def next_due_or_none(schedule: PeriodicTask, now: datetime) -> datetime | None:
    """For lists: the next due time later than now, and None for a row that cannot be read."""
    try:
        if not schedule.interval_id:
            return next_due(schedule, now)
        state = getattr(schedule, "state", None)
        after = (state and state.decided_until) or schedule.last_run_at or schedule.date_changed
        count, _first, last = passed(schedule, after, now, 1)
        return next_due(schedule, last[0] if count else after)
    except Exception:  # anything may stand in a row
        return None


def passed(
    schedule: PeriodicTask, after: datetime, now: datetime, keep: int
) -> tuple[int, datetime | None, list[datetime]]:
    """The due times in (after, now]: how many, the first of them, and the last `keep`, oldest first."""
    if schedule.interval_id and not schedule.expires:
        return _passed_intervals(schedule, after, now, keep)
    count, first, last = 0, None, deque[datetime](maxlen=keep)
    for due in takewhile(lambda due: due <= now, due_times(schedule, after)):
        count, first = count + 1, first or due
        last.append(due)
    return count, first, list(last)


def _passed_intervals(
    schedule: PeriodicTask, after: datetime, now: datetime, keep: int
) -> tuple[int, datetime | None, list[datetime]]:
    """By arithmetic: a one-second interval after a week's downtime has 600,000 of them."""
    first = next_due(schedule, after)
    if first is None or first > now:
        return 0, None, []
    every = interval_of(schedule)
    count = (now - first) // every + 1
    newest = first + (count - 1) * every
    return count, first, [newest - n * every for n in range(min(count, keep))][::-1]


@dataclass(frozen=True)
class Upcoming:
    """One due time as a person reads it: in the schedule's zone and in UTC, with what the clock change does to it."""

    utc: datetime
    local: datetime
    remark: str  # "", "moved" or "twice"


def zone_of(schedule: PeriodicTask) -> tzinfo:
    if schedule.crontab_id and isinstance(schedule.crontab.timezone, tzinfo):
        return schedule.crontab.timezone
    return timezone.get_default_timezone()


def upcoming(schedule: PeriodicTask, after: datetime, number: int = 10) -> list[Upcoming]:
    zone = zone_of(schedule)
    crontab = crontab_of(schedule) if schedule.crontab_id else None
    return [
        Upcoming(due, due.astimezone(zone), remark(due.astimezone(zone), crontab))
        for due in islice(due_times(schedule, after), number)
    ]


def remark(local: datetime, crontab: Crontab | None) -> str:
    if crontab and (local.hour not in crontab.hours or local.minute not in crontab.minutes):
        return "moved"
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return "twice"
    return ""
