"""A row of beat's table as the form shows it, and what the form offers."""

import inspect
import json
from typing import Any

from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs import labels
from backoffice.runs.access import may_start
from backoffice.runs.registry import record_tasks, registered

from ..rules import permitted, selection, words
from ..rules.permitted import loads

RECORDS = "records:"  # a choice of `work` that runs a record task over a selection
EVERY, CRONTAB, ONCE, SOLAR = "every", "crontab", "once", "solar"


# A row without a timing, or with one that cannot be read, shows none. Lists of choices begin with their first.
NO_TIMING = {"when": "", "crontab_text": "", "zone": "UTC", "period": "minutes"}


def work_choices(user: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """What this person may start, grouped: record tasks, then the tasks that opted in."""
    tasks = record_tasks()
    on_records = [
        (f"{RECORDS}{name}", f"{label}: {words.records_label(tasks[name].record_model)}")
        for name, label in labels.choices(tasks)
        if user is None or may_start(user, tasks[name])
    ]
    others = [
        (name, label)
        for name, label in labels.choices(permitted.offered())
        if user is None or permitted.may_schedule(user, name, {})
    ]
    groups = [(_("Run over records"), on_records), (_("Other tasks"), others)]
    return [(title, choices) for title, choices in groups if choices]


def telling_needs(choices: list[Any]) -> list[str]:
    """Of choices of `work` those whose tasks say which records need them."""
    offered = {value for _title, group in choices for value, _label in group}
    saying = (f"{RECORDS}{name}" for name, task in record_tasks().items() if task.needs is not None)
    return [value for value in saying if value in offered]


def initial_of(schedule: PeriodicTask) -> dict[str, Any]:
    """A row as the form shows it."""
    kwargs = loads(schedule.kwargs, {})
    values: dict[str, Any] = {"work": schedule.task, "queue": schedule.queue or "", **NO_TIMING}
    values["one_off"] = schedule.one_off and not schedule.clocked_id  # "once, at a time" says it already
    if schedule.task == permitted.START_RUN:
        values |= {"work": f"{RECORDS}{kwargs.get('task')}", "selection": selection.describe(kwargs)}
        values["only_needed"] = bool(kwargs.get("only_needed"))
        values["parameters"] = permitted.loaded_parameters(kwargs)
    else:
        values["arguments"] = arguments_of(schedule)
    if schedule.interval_id:
        values |= {"when": EVERY, "every": schedule.interval.every, "period": schedule.interval.period}
    elif schedule.crontab_id and schedule.crontab:
        c = schedule.crontab
        fields = (c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
        values |= {
            "when": CRONTAB,
            "crontab_text": " ".join("".join(f.split()) for f in fields),
            "zone": str(c.timezone),
        }
    elif schedule.clocked_id:
        values |= {"when": ONCE, "at": schedule.clocked.clocked_time}
    elif schedule.solar_id:
        values["when"] = SOLAR
    if state := getattr(schedule, "state", None):
        values |= {"missed": state.missed, "overlap": state.overlap}
    return values


def arguments_of(schedule: PeriodicTask) -> str:
    """By name where there are named ones: the form has one field for both."""
    args, kwargs = loads(schedule.args, []), loads(schedule.kwargs, {})
    if args and kwargs and (task := registered().get(schedule.task)):
        try:
            kwargs, args = inspect.signature(task.run).bind(*args, **kwargs).arguments, []
        except TypeError:
            return json.dumps(args)
    return json.dumps(args or kwargs) if args or kwargs else ""


def crontab_parts() -> list[dict[str, Any]]:
    """The boxes from which a crontab can be put together by clicking."""
    return [
        {"label": _("Minute"), "size": 60, "values": [(n, f"{n:02}") for n in range(0, 60, 5)]},
        {"label": _("Hour"), "size": 24, "values": [(n, f"{n:02}") for n in range(24)]},
        {"label": _("Day of the month"), "size": 31, "values": [(n, str(n)) for n in range(1, 32)]},
        {"label": _("Month"), "size": 12, "values": [(n, capfirst(name)) for n, name in MONTHS_3.items()]},
        {"label": _("Day of the week"), "size": 7, "values": [((n + 1) % 7, d) for n, d in WEEKDAYS_ABBR.items()]},
    ]


def with_stored(choices: list[Any], value: Any, label: Any) -> list[Any]:
    """And the stored value, where it is not one of those offered for new ones."""
    flat = {choice for name, sub in choices for choice in ([c for c, _ in sub] if isinstance(sub, list) else [name])}
    return choices if value in (None, "") or value in flat else [*choices, (value, label)]
