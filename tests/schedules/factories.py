"""Rows of beat's tables, and the records that their runs are over."""

import json
from datetime import datetime
from typing import Any

from django.db import connection
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from backoffice.schedules.models import ScheduleState
from records.models import YourModel
from tests.schedules.tasks import PROCESS, START_RUN, TICK

# A filter that the database cannot take: SQLite knows no such number, PostgreSQL no null character.
UNFIT: dict[str, Any] = {"id__in": [10**30]} if connection.vendor == "sqlite" else {"name": "\x00"}
SCHEDULER = tuple(f"django_celery_beat.{verb}_periodictask" for verb in ("view", "add", "change", "delete"))


def interval(every: int = 60, period: str = "seconds") -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=every, period=period)[0]


def crontab(text: str = "0 2 * * *", zone: str = "UTC") -> CrontabSchedule:
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    return CrontabSchedule.objects.create(timezone=zone, **dict(zip(names, text.split(), strict=True)))


def row(name: str = "Row", **values: Any) -> PeriodicTask:
    if not values.keys() & {"interval", "crontab", "clocked", "solar"}:
        values["interval"] = interval()
    return PeriodicTask.objects.create(name=name, **{"task": TICK, **values})


def nightly(**values: Any) -> PeriodicTask:
    kwargs = json.dumps({"task": PROCESS, "filter": {"processed": False}})
    return row("Nightly", crontab=crontab(), task=START_RUN, kwargs=kwargs, **values)


def option(schedule: PeriodicTask, **values: Any) -> None:
    ScheduleState.objects.update_or_create(schedule=schedule, defaults=values)


def clocked(name: str, at: datetime, **values: Any) -> PeriodicTask:
    return row(name, clocked=ClockedSchedule.objects.create(clocked_time=at), one_off=True, **values)


def partners(number: int = 3) -> list[YourModel]:
    rows = [YourModel(reference=f"P{n:04}", name=f"Partner {n}", country="DE") for n in range(number)]
    return YourModel.objects.bulk_create(rows)
