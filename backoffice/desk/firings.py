"""What beat will start next. Reads its rows and changes none; a row that cannot be read stops no other."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.models import PeriodicTask

from .links import admin_url

logger = logging.getLogger(__name__)

MOST = 500  # rows looked at: staff have dozens
TICKING = timedelta(minutes=2)  # what fires more often is the machine's own clockwork and would fill the list


@dataclass(frozen=True, slots=True)
class Firing:
    name: str
    url: str
    at: datetime | None
    problem: str = ""

    @property
    def is_due(self) -> bool:
        return self.at is not None and self.at <= timezone.now()


def upcoming(limit: int = 5) -> tuple[list[Firing], list[Firing]]:
    """The next firings, soonest first, and the schedules that can never fire, each with its reason."""
    rows = PeriodicTask.objects.filter(enabled=True).select_related("interval", "crontab", "solar", "clocked")
    firings = [firing for row in rows.order_by("pk")[:MOST] if (firing := read(row))]
    fine = sorted((f.at, f.name, f) for f in firings if f.at)
    return [firing for _at, _name, firing in fine[:limit]], [firing for firing in firings if firing.problem][:limit]


def read(row: PeriodicTask) -> Firing | None:
    url = admin_url(row)
    try:
        at = next_time(row, timezone.now())
    except Exception as error:  # anything can stand in a row that came by SQL
        logger.debug("Schedule %s cannot be read: %r", row.pk, error)
        return Firing(row.name, url, None, _("beat cannot read it (%s)") % type(error).__name__)
    return Firing(row.name, url, at) if at else None


def next_time(row: PeriodicTask, now: datetime) -> datetime | None:
    """When beat starts it, or None if it never will again or ticks all the time."""
    if row.expires and row.expires <= now or row.one_off and row.total_run_count:
        return None
    schedule: Any = row.schedule
    if isinstance(schedule, clocked):
        return schedule.clocked_time
    if row.interval_id and schedule.run_every < TICKING:
        return None
    # Before its start a schedule rests; counting begins there.
    begins = max(row.start_time or now, now)
    last_run = begins if begins > now else row.last_run_at or row.date_changed or now
    return max(next_after(schedule, last_run, now), begins)


def next_after(schedule: Any, last_run: datetime, now: datetime) -> datetime:
    if row_tz := getattr(schedule, "tz", None):
        last_run = last_run.astimezone(row_tz)
    return now + schedule.remaining_estimate(last_run)
