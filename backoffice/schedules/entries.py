"""An entry of CELERY_BEAT_SCHEDULE or add_periodic_task as the columns of a row, or why it cannot be kept."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from celery import schedules
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from .rules.permitted import loads

MODELS: dict[str, Any] = {
    "interval": IntervalSchedule, "crontab": CrontabSchedule, "solar": SolarSchedule, "clocked": ClockedSchedule
}  # fmt: skip
CRONTAB = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
OWN = ("enabled", "one_off", "description", "start_time")  # columns that may stand beside `schedule` and `options`
PLACES = Decimal("0.000001")
LARGEST = 2**31 - 1
DONE_ELSEWHERE = {
    **dict.fromkeys(("countdown", "eta"), "change its timing: it is sent when it is due"),
    **dict.fromkeys(("exchange", "routing_key", "exchange_type"), 'name a queue: "options": {"queue": "tasks"}'),
}


class Unkept(ValueError):
    """The entry cannot be kept as it is written; the text says what and what to do."""


def columns_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry says, of JSON alone, so that it can be kept and compared. Raises Unkept."""
    known = {"task", "schedule", "args", "kwargs", "options", "relative", *OWN}
    if unknown := sorted(entry.keys() - known):
        raise Unkept(_("it has “%(names)s”, which no schedule has: leave it out") % {"names": ", ".join(unknown)})
    kind, values = timing_of(entry["schedule"])
    if entry.get("relative") or getattr(entry["schedule"], "relative", False):
        raise Unkept(_("“relative” is not kept: write a crontab, which says at what minute"))
    return {
        "task": entry["task"],
        "args": as_json("args", list(entry.get("args") or ())),
        "kwargs": as_json("kwargs", dict(entry.get("kwargs") or {})),
        **options_of(entry.get("options") or {}),
        "enabled": bool(entry.get("enabled", True)),
        "one_off": bool(entry.get("one_off", kind == "clocked")),
        "description": str(entry.get("description") or ""),
        "start_time": moment(entry.get("start_time")),
        "timing": [kind, values],
    }


def options_of(options: Mapping[str, Any]) -> dict[str, Any]:
    known = {"queue", "priority", "headers", "expires", "expire_seconds"}
    for name in options.keys() - known:
        if options[name] is not None:
            to_do = DONE_ELSEWHERE.get(name, "set it at the task itself")
            raise Unkept(_("the option “%(name)s” is not kept: %(to_do)s") % {"name": name, "to_do": to_do})
    expires = options.get("expires")
    ends = isinstance(expires, datetime)
    life = options.get("expire_seconds") if expires is None or ends else expires
    queue = options.get("queue")
    return {
        "queue": getattr(queue, "name", queue) or None,
        "priority": options.get("priority"),
        "headers": as_json("headers", dict(options.get("headers") or {})),
        "expires": moment(expires) if ends else None,
        "expire_seconds": None if life is None else whole_seconds(life),
    }


def as_json(name: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        values = {"name": name, "error": error}
        raise Unkept(_("its %(name)s cannot be written as JSON: %(error)s") % values) from error


def moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    return (value.replace(tzinfo=UTC) if is_naive(value) else value).astimezone(UTC).isoformat()


def whole_seconds(length: Any) -> int:
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if not seconds.is_integer():
        raise Unkept(_("%(n)s s: schedules know whole seconds, so write a whole number") % {"n": f"{seconds:g}"})
    if not 1 <= seconds <= LARGEST:
        raise Unkept(_("%(n)s s is out of reach: write from 1 second to 68 years") % {"n": f"{seconds:g}"})
    return int(seconds)


def timing_of(given: Any) -> tuple[str, dict[str, Any]]:
    """The kind of timing and its columns."""
    found = schedules.maybe_schedule(given)
    if isinstance(found, schedules.crontab):
        return "crontab", crontab_of(found)
    if isinstance(found, schedules.solar):
        places = {"latitude": found.lat, "longitude": found.lon}
        return "solar", {"event": found.event, **{n: str(Decimal(str(v)).quantize(PLACES)) for n, v in places.items()}}
    if isinstance(found, clocked):
        return "clocked", {"clocked_time": moment(found.clocked_time)}
    if type(found) is schedules.schedule:
        return "interval", {"every": whole_seconds(found.run_every), "period": "seconds"}
    raise Unkept(_("a timing of the kind %(kind)s is not kept: write seconds, a timedelta, crontab() or solar()") % {
        "kind": type(found).__name__})  # fmt: skip


def crontab_of(found: schedules.crontab) -> dict[str, Any]:
    values = {name: cron_field(getattr(found, f"_orig_{name}")) for name in CRONTAB}
    for name, text in values.items():
        if len(text) > (CrontabSchedule._meta.get_field(name).max_length or 0):
            raise Unkept(_("the crontab's %(name)s is too long: write it with ranges and steps") % {"name": name})
    return {**values, "timezone": str(found.tz)}


def cron_field(value: Any) -> str:
    """Celery takes a number, any collection of numbers, or text."""
    if isinstance(value, str):
        return "".join(value.split())
    if isinstance(value, Iterable):
        return ",".join(map(str, sorted({int(each) for each in value})))
    return str(value)


def columns_in(schedule: PeriodicTask) -> dict[str, Any]:
    """What the row says, in the same form."""
    kind = next((kind for kind in MODELS if getattr(schedule, f"{kind}_id")), "")
    return {
        **{name: getattr(schedule, name) for name in ("task", "priority", "expire_seconds", "enabled", "one_off")},
        "args": loads(schedule.args, []),
        "kwargs": loads(schedule.kwargs, {}),
        "headers": loads(schedule.headers, {}),
        "queue": schedule.queue or None,
        "description": schedule.description,
        "expires": moment(schedule.expires),
        "start_time": moment(schedule.start_time),
        "timing": [kind, timing_in(schedule, kind)],
    }


def timing_in(schedule: PeriodicTask, kind: str) -> dict[str, Any]:
    """One written another way, "60 minutes" for "3600 seconds", says the same. {} for one that cannot be read."""
    try:
        timing = getattr(schedule, kind) if kind else None
    except Exception:  # anything may stand in a row
        return {}
    if isinstance(timing, IntervalSchedule):
        length = timedelta(**{timing.period: timing.every})
        return {"every": length.total_seconds(), "period": "seconds"}
    if isinstance(timing, CrontabSchedule):
        fields = {name: "".join(getattr(timing, name).split()) for name in CRONTAB}
        return {**fields, "timezone": str(timing.timezone)}
    if isinstance(timing, SolarSchedule):
        return {"event": timing.event, "latitude": str(timing.latitude), "longitude": str(timing.longitude)}
    return {"clocked_time": moment(timing.clocked_time)} if timing else {}


def schedule_values(columns: Mapping[str, Any]) -> dict[str, Any]:
    """For a row of beat's table. The timing is shared with others that say the same."""
    kind, values = columns["timing"]
    model = MODELS[kind]
    timing = model.objects.filter(**values).first() or model.objects.create(**values)
    texts = {name: json.dumps(columns[name]) for name in ("args", "kwargs", "headers")}
    plain = {name: columns[name] for name in columns.keys() - texts.keys() - {"timing"}}
    return {**dict.fromkeys(MODELS), **plain, **texts, kind: timing}
