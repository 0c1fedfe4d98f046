"""Rows of beat's tables, a clock that tests set, and what lies in Redis."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import current_app, shared_task
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from backoffice.schedules.models import Firing, ScheduleState
from backoffice.schedules.scheduler import SteadyScheduler
from records.models import YourModel

PROCESS = "records.tasks.process_model_instance"
START_RUN = "backoffice.schedules.tasks.start_scheduled_run"
TICK = "tests.schedules.helpers.tick"
# A filter that the database cannot take: SQLite knows no such number, PostgreSQL no null character.
UNFIT: dict[str, Any] = {"id__in": [10**30]} if connection.vendor == "sqlite" else {"name": "\x00"}


@shared_task(name=TICK, schedulable=True)
def tick(n: int = 1) -> int:
    return n


@shared_task(name="tests.schedules.helpers.secret")
def secret() -> None:
    """A task that nobody allowed."""


class Clock:
    """django.utils.timezone.now as the test says."""

    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, **delta: float) -> None:
        self.at += timedelta(**delta)

    def set(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC)


def beat() -> SteadyScheduler:
    return SteadyScheduler(app=current_app._get_current_object(), lazy=True)


def round_of(scheduler: SteadyScheduler) -> None:
    """One round as it would be after a pause long enough for everything."""
    scheduler.read_at = scheduler.publish_at = scheduler.repeated_at = float("-inf")
    scheduler.leader.renewed_at = scheduler.leader.reported_at = float("-inf")
    scheduler.tick()


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


def dues(state: str = "sent") -> list[str]:
    return [f"{f.due_at:%d %H:%M}" for f in Firing.objects.filter(state=state).order_by("due_at")]


def clocked(name: str, at: datetime, **values: Any) -> PeriodicTask:
    return row(name, clocked=ClockedSchedule.objects.create(clocked_time=at), one_off=True, **values)


def messages() -> list[dict[str, Any]]:
    """What is waiting in the queues, oldest first."""
    with current_app.connection_for_read() as connection:
        client = connection.default_channel.client
        found = [
            json.loads(m) for queue in ("control", "records", "tasks") for m in reversed(client.lrange(queue, 0, -1))
        ]
    return [message["headers"] for message in found]


def messages_of_priority(priority: int) -> list[dict[str, Any]]:
    """Redis keeps them in a list of their own."""
    with current_app.connection_for_read() as connection:
        channel = connection.default_channel
        key = channel._q_for_pri("control", priority)
        return [json.loads(m)["headers"] for m in channel.client.lrange(key, 0, -1)]


def user(name: str, *permissions: str) -> Any:
    person = get_user_model().objects.create_user(name, password="x", is_staff=True)
    for label in permissions:
        app, codename = label.split(".")
        person.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return person


SCHEDULER = tuple(f"django_celery_beat.{verb}_periodictask" for verb in ("view", "add", "change", "delete"))


def partners(number: int = 3) -> list[YourModel]:
    rows = [YourModel(reference=f"P{n:04}", name=f"Partner {n}", country="DE") for n in range(number)]
    return YourModel.objects.bulk_create(rows)


def in_hours(hours: float) -> str:
    return f"{timezone.localtime() + timedelta(hours=hours):%Y-%m-%dT%H:%M}"
