"""Whether a row of beat's table can be loaded and fired. The form and the scheduler ask the same function."""

import json
from datetime import timedelta
from typing import Any

from celery import current_app
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.message import headers
from backoffice.runs import parameters
from backoffice.runs.labels import task_label
from backoffice.runs.registry import record_tasks, registered

from . import permitted, selection, timing

SHORTEST = timedelta(seconds=1)  # for any row; what staff may choose is longer (form_timing.SHORTEST)
LONGEST_LIFE = 366 * 24 * 3600  # seconds
PRIORITIES = range(10)  # Redis keeps ten


class BadSchedule(ValueError):
    """The row cannot be loaded or fired; the text says why, where and what to do."""


def verify(schedule: PeriodicTask) -> None:
    """Raises BadSchedule with a sentence fit for staff."""
    verify_timing(schedule)
    kwargs = verify_call(schedule)
    verify_selection(schedule.task, kwargs)
    verify_options(schedule)


def verify_timing(schedule: PeriodicTask) -> None:
    kinds = [kind for kind in ("interval", "crontab", "solar", "clocked") if getattr(schedule, f"{kind}_id")]
    if len(kinds) != 1:
        raise BadSchedule(_("It must have exactly one of: interval, crontab, solar event or clock time."))
    if schedule.interval_id:
        verify_interval(schedule.interval.period, schedule.interval.every)
    elif schedule.crontab_id:
        verify_crontab(schedule)
    elif schedule.solar_id:
        verify_solar(schedule)


def verify_interval(period: str, every: Any) -> None:
    try:
        length = timedelta(**{period: every})
    except (TypeError, OverflowError) as error:
        raise BadSchedule(_("The interval cannot be read: %(error)s.") % {"error": error}) from error
    if length < SHORTEST:
        raise BadSchedule(_("The interval is shorter than one second."))


def verify_crontab(schedule: PeriodicTask) -> None:
    try:
        crontab = timing.crontab_of(schedule)
        found = next(crontab.after(timezone.now()), None)
    except Exception as error:  # Celery's parser raises a kind of its own for every kind of mistake
        raise BadSchedule(_("The crontab cannot be read: %(error)s.") % {"error": str(error).rstrip(".")}) from error
    if found is None:
        raise BadSchedule(_("The crontab never fires: no date has this day, month and day of week."))


def verify_solar(schedule: PeriodicTask) -> None:
    try:
        schedule.solar.schedule.remaining_estimate(timezone.now())
    except Exception as error:  # ephem missing, an unknown event, a latitude without sunrise
        raise BadSchedule(_("The solar event cannot be computed: %(error)s") % {"error": str(error).strip()}) from error


def verify_call(schedule: PeriodicTask) -> dict[str, Any]:
    """Task, arguments and headers; returns the keyword arguments."""
    args = _json(schedule.args, list, [], _("positional arguments"))
    kwargs = _json(schedule.kwargs, dict, {}, _("keyword arguments"))
    added = _json(schedule.headers, dict, {}, _("headers"))
    if reason := permitted.refusal(schedule.task):
        raise BadSchedule(reason)
    if reason := permitted.misfit(registered()[schedule.task], args, kwargs):
        raise BadSchedule(reason)
    if taken := sorted(name for name in added if name in celerys_headers() or name.startswith(headers.PREFIX)):
        told = _("The headers may not set what Celery or the back office sets: %(names)s.")
        raise BadSchedule(told % {"names": ", ".join(taken)})
    return kwargs


def celerys_headers() -> set[str]:
    """With one of these a row could name another task than the one that was checked."""
    return set(current_app.amqp.as_task_v2("id", "name").headers)


def _json(text: str | None, kind: type, empty: Any, what: str) -> Any:
    try:
        value = json.loads(text) if text else empty
    except (ValueError, TypeError, RecursionError) as error:
        raise BadSchedule(_("The %(what)s are not JSON: %(error)s.") % {"what": what, "error": error}) from error
    if not isinstance(value, kind):
        wanted = "[…]" if kind is list else "{…}"
        raise BadSchedule(_("The %(what)s must be of the form %(wanted)s.") % {"what": what, "wanted": wanted})
    return value


def verify_selection(task: str, kwargs: dict[str, Any], user: Any = None) -> None:
    """`user`: whoever chooses, and may choose by what they see; None for a row that is there."""
    if task != permitted.START_RUN:
        return
    record_task = record_tasks().get(str(kwargs.get("task")))
    if record_task is None:
        raise BadSchedule(_("There is no record task called “%(name)s”.") % {"name": kwargs.get("task")})
    try:
        selection.records(record_task.record_model, kwargs, user)
    except selection.BadSelection as error:
        raise BadSchedule(str(error)) from error


def verify_parameters(schedule: PeriodicTask) -> None:
    """Of whoever saves them: what the record task's form refuses later, a firing tells."""
    kwargs = permitted.loads(schedule.kwargs, {})
    task = record_tasks().get(str(kwargs.get("task"))) if schedule.task == permitted.START_RUN else None
    if task is None:
        return
    if kwargs.get("only_needed") and task.needs is None:
        told = _("“%(task)s” does not say which records need it: leave “Only those that need it” off.")
        raise BadSchedule(told % {"task": task_label(task.name)})
    try:
        parameters.checked(task, permitted.parameters_in(kwargs))
    except ValueError as error:
        raise BadSchedule(str(error)) from error


def verify_options(schedule: PeriodicTask) -> None:
    queues = set(current_app.amqp.queues)
    if schedule.queue and schedule.queue not in queues:
        message = _("There is no queue “%(queue)s”. Queues: %(queues)s.")
        raise BadSchedule(message % {"queue": schedule.queue, "queues": ", ".join(sorted(queues))})
    if schedule.exchange or schedule.routing_key:
        raise BadSchedule(_("Exchange and routing key are not used here: leave them empty."))
    if schedule.priority is not None and schedule.priority not in PRIORITIES:
        raise BadSchedule(_("The priority must lie between 0 (first) and 9."))
    if schedule.expires and schedule.expire_seconds is not None:
        raise BadSchedule(_("Give either an end or a message lifetime in seconds, not both."))
    if schedule.expire_seconds == 0:
        raise BadSchedule(_("A message lifetime of 0 seconds expires before it can run."))
    if schedule.expire_seconds and schedule.expire_seconds > LONGEST_LIFE:
        raise BadSchedule(_("A message lifetime of more than a year is none: leave it empty."))


def verify_future(schedule: PeriodicTask) -> None:
    """Not asked of rows that beat knows: a missed one fires late. Raises BadSchedule."""
    if timing.next_due(schedule, timezone.now()):
        return
    if schedule.clocked_id:
        raise BadSchedule(_("This time has passed. Choose a later one."))
    raise BadSchedule(_("It would never fire: no due time lies between now, its beginning and its end."))
