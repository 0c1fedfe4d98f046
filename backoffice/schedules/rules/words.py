"""Schedules in words, for lists, previews and messages."""

import re
from itertools import count
from typing import Any

from cron_descriptor import Options, get_description
from django.db.models import Model
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from backoffice.runs import parameters
from backoffice.runs.labels import task_label
from backoffice.runs.registry import record_tasks

from . import permitted, selection, timing
from .chosen import chosen_in_words
from .permitted import loads

PLANNED = re.compile(r"start-run-(\d+)")


def when(schedule: PeriodicTask) -> str:
    """For example "At 02:00, UTC". A row that cannot be read says so: this is shown in lists."""
    try:
        return (
            _("%(times)s, only the first time") % {"times": _when(schedule)}
            if is_cut_short(schedule)
            else _when(schedule)
        )
    except Exception:  # anything may stand in a row; the scheduler says what
        return _("cannot be read")


def is_cut_short(schedule: PeriodicTask) -> bool:
    """Due again and again by its timing, and turned off after the first firing."""
    return bool(schedule.one_off and not schedule.clocked_id)


def _when(schedule: PeriodicTask) -> str:
    if schedule.interval_id:
        return every(schedule.interval.every, schedule.interval.period)
    if schedule.crontab_id:
        return crontab_in_words(schedule)
    if schedule.clocked_id:
        return _("once, %(time)s") % {"time": moment(schedule.clocked.clocked_time)}
    return str(schedule.solar or _("never: it has no timing"))


def when_by(kind: str, timing: Model) -> str:
    """Of a row of one of the tables of timings."""
    return when(PeriodicTask(**{kind: timing}))


def crontab(timing: CrontabSchedule) -> str:
    return when_by("crontab", timing)


def every(number: int, period: str) -> str:
    phrases = {
        "days": ngettext("every day", "every %(n)d days", number),
        "hours": ngettext("every hour", "every %(n)d hours", number),
        "minutes": ngettext("every minute", "every %(n)d minutes", number),
        "seconds": ngettext("every second", "every %(n)d seconds", number),
    }
    return phrases.get(period, f"%(n)d {period}") % {"n": number}


def crontab_in_words(schedule: PeriodicTask) -> str:
    found = timing.crontab_of(schedule)
    fields = [
        schedule.crontab.minute,
        schedule.crontab.hour,
        schedule.crontab.day_of_month,
        schedule.crontab.month_of_year,
    ]
    days = "*" if len(found.weekdays) == 7 else ",".join(map(str, sorted(found.weekdays)))
    options = Options()
    options.use_24hour_time_format = True
    options.verbose = len(found.hours) < 24  # "At 02:00, every day", but not "Every minute, every hour, every day"
    text = get_description(" ".join([*("".join(f.split()) for f in fields), days]), options)
    if len(found.days) < 31 and len(found.weekdays) < 7:
        # Celery wants both to match, where the usual cron takes either.
        text += ", " + _("and only when both the day of the month and the day of the week match")
    return f"{text}, {schedule.crontab.timezone}"


def moment(value: Any) -> str:
    local = timezone.localtime(value)
    return f"{formats.date_format(local, 'Y-m-d H:i')} {local.tzname()}"


def clock(value: Any) -> SafeString:
    """A moment for a page, which writes the reader's own time beside it."""
    return format_html('<time class="bo-num bo-time" datetime="{}">{}</time>', value.isoformat(), moment(value))


def called(name: str) -> str:
    """A schedule's name; of one that only starts a planned run, whose name is a code, what it does."""
    planned = PLANNED.fullmatch(name)
    return _("Start run %(run)s") % {"run": planned[1]} if planned else name


def what(schedule: PeriodicTask) -> str:
    kwargs = loads(schedule.kwargs, {})
    if schedule.task == permitted.START_RUN:
        return over_records(kwargs)
    if schedule.task == permitted.START_DUE:
        return _("Start run %(run)s") % {"run": kwargs.get("run_id")}
    return task_label(schedule.task)


def over_records(kwargs: dict[str, Any]) -> str:
    task = record_tasks().get(str(kwargs.get("task")))
    if task is None:
        return _("Unknown record task %(name)s") % {"name": kwargs.get("task")}
    which = chosen_in_words(selection.describe(kwargs), task.record_model) or _("all")
    given = kwargs.get("parameters")
    asked = parameters.words(task, given) if isinstance(given, dict) and given else []
    needed = [_("only those that need it")] if kwargs.get("only_needed") else []
    told = "; ".join([which, *needed, *(f"{label}: {value}" for label, value in asked if value != "–")])
    return f"{task_label(task.name)}: {records_label(task.record_model)} ({told})"


def records_label(model: type[Model]) -> str:
    return str(model._meta.verbose_name_plural)


def suggested_name(schedule: PeriodicTask) -> str:
    """What it does, to which records and when, such as "Process: review, NL; at 02:00, every day"; nobody else's."""
    kwargs = loads(schedule.kwargs, {})
    task = record_tasks().get(str(kwargs.get("task"))) if schedule.task == permitted.START_RUN else None
    done = f"{task_label(task.name)}: {which(task.record_model, kwargs)}" if task else what(schedule)
    times = when(schedule)
    if schedule.crontab:
        times = times.removesuffix(f", {schedule.crontab.timezone}")
    name = _("%(what)s; %(when)s") % {"what": Truncator(done).chars(110), "when": times[:1].lower() + times[1:]}
    return unused(Truncator(name).chars(190))


def which(model: type[Model], kwargs: dict[str, Any]) -> str:
    """By the values alone: their fields would make a name long."""
    chosen = [
        part.partition(": ")[2] or part for part in chosen_in_words(selection.describe(kwargs), model).split(", ")
    ]
    told = ", ".join(part for part in chosen if part) or _("all %(records)s") % {"records": records_label(model)}
    return _("%(which)s, only those that need it") % {"which": told} if kwargs.get("only_needed") else told


def unused(name: str) -> str:
    taken = set(PeriodicTask.objects.filter(name__startswith=name).values_list("name", flat=True)[:100])
    return next(tried for number in count(1) if (tried := name if number == 1 else f"{name} ({number})") not in taken)
