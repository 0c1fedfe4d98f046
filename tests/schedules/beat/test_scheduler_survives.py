"""Whatever beat's tables can hold, beat goes on and the good row fires."""

import pytest
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.schedules.models import Firing
from tests.properties import tries
from tests.schedules import factories, rounds
from tests.schedules.tasks import PROCESS, START_RUN, TICK

pytestmark = pytest.mark.django_db

text = st.text(max_size=20).filter(lambda t: "\x00" not in t)
json_like = st.sampled_from(["[]", "{}", "5", "null", "[1]", '{"a": 1}', "", "NaN", '"x"', "[" * 2000, "{nope"]) | text
columns = st.fixed_dictionaries(
    {},
    optional={
        "task": st.sampled_from([TICK, START_RUN, PROCESS, "celery.chord", ""]) | text,
        "args": json_like,
        "kwargs": json_like,
        "headers": json_like,
        "queue": st.none() | text,
        "exchange": st.none() | text,
        "priority": st.none() | st.integers(0, 32000),
        "expire_seconds": st.none() | st.integers(0, 2**31 - 1),
        "one_off": st.booleans(),
        "start_time": st.none() | st.datetimes().map(lambda t: f"{t:%Y-%m-%d %H:%M:%S}".zfill(19)),
        "expires": st.none() | st.datetimes().map(lambda t: f"{t:%Y-%m-%d %H:%M:%S}".zfill(19)),
    },
)
crontabs = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from(["*", "0", "31", "7", "*/0", "2-1", "x", ""]) | text
           for name in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")},
        "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Mars/Olympus", "", "../etc"]),
    },
)  # fmt: skip


def update(table: str, pk: int, values: dict) -> None:
    if not values:
        return
    names = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE django_celery_beat_{table} SET {names} WHERE id = %s", [*values.values(), pk])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(80), deadline=None)
@given(
    values=columns,
    crontab=st.none() | crontabs,
    every=st.integers(-(2**31), 2**31 - 1),
    period=st.sampled_from(["seconds", "days", "microseconds", "years", ""]),
)
def test_beat_goes_on_whatever_a_row_holds(values, crontab, every, period, clock):
    clock.set("2026-01-05 12:00:00")
    with transaction.atomic():
        good = factories.row("Good")
        timing = {"crontab": factories.crontab()} if crontab is not None else {"interval": factories.interval(7)}
        bad = factories.row("Bad", **timing)
        update("periodictask", bad.pk, values)
        if crontab is not None:
            update("crontabschedule", timing["crontab"].pk, crontab)
        else:
            update("intervalschedule", timing["interval"].pk, {"every": every, "period": period})
        scheduler = rounds.beat()
        rounds.round_of(scheduler)
        clock.go(seconds=61)
        rounds.round_of(scheduler)
        rounds.round_of(scheduler)
        assert Firing.objects.filter(schedule=good).count() == 1
        assert PeriodicTask.objects.filter(pk=good.pk, enabled=True).exists()
        transaction.set_rollback(True)
