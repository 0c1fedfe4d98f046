"""Which tasks a schedule may start, and with what arguments.

Record tasks run over a selection, through `start_scheduled_run`; called by id they are allowed too. System tasks have
schedules of their own that staff cannot touch. Those of CELERY_BEAT_SCHEDULE are the developers' and, in the admin, the
superuser's. Any other task opts in: `@shared_task(schedulable=True)`, or
`schedulable="app.permission"` for the holders of that permission only; `system_schedule=True` makes it a system task.
"""

import json
from typing import Any

from celery import Task, current_app
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs import parameters
from backoffice.runs.access import may_start
from backoffice.runs.registry import RecordTask, record_tasks, registered

START_RUN = "backoffice.schedules.tasks.start_scheduled_run"
START_DUE = "backoffice.schedules.tasks.start_due_run"
SWEEP = "backoffice.runs.tasks.sweep"
SYSTEM = frozenset({SWEEP, "celery.backend_cleanup"})


def loads(value: str | None, default: Any) -> Any:
    try:
        found = json.loads(value) if value else default
    except (ValueError, RecursionError):  # as deep as SQL can write it
        return default
    return found if isinstance(found, type(default)) else default


def is_system(name: str) -> bool:
    return name in SYSTEM or bool(getattr(registered().get(name), "system_schedule", False))


def system_names() -> list[str]:
    return sorted(name for name in registered() if is_system(name))


def is_one_off_start(schedule: PeriodicTask) -> bool:
    """The clocked row behind "Process later": it belongs to its run."""
    return bool(schedule.task == START_DUE)


def offered() -> dict[str, Task]:
    """The tasks that staff may choose besides record tasks, by name."""
    return {name: task for name, task in sorted(registered().items()) if getattr(task, "schedulable", False)}


def configured() -> set[str]:
    """The tasks of CELERY_BEAT_SCHEDULE and add_periodic_task: developers schedule them, staff only see them."""
    return {entry["task"] for entry in current_app.conf.beat_schedule.values()}


def refusal(name: str) -> str:
    """Why no schedule may start the task of that name; "" if one may."""
    tasks = registered()
    if name not in tasks:
        return _("There is no task called “%(name)s”. Choose one of the list.") % {"name": name}
    known = (START_RUN, START_DUE, *offered(), *record_tasks(), *configured())
    if name in known or is_system(name):
        return ""
    return _(
        "The task “%(name)s” is not one of those that may be scheduled: its developers allow it by "
        "@shared_task(schedulable=True)."
    ) % {"name": name}


def may_schedule(user: Any, name: str, kwargs: dict[str, Any]) -> bool:
    """Whether this person could start by hand what the schedule would start."""
    if name in (START_RUN, START_DUE):
        record_task = record_tasks().get(str(kwargs.get("task")))
        return record_task is not None and may_start(user, record_task)
    if is_system(name):
        return bool(user.is_superuser)
    task = registered().get(name)
    if isinstance(task, RecordTask):
        return may_start(user, task)
    needed = getattr(task, "schedulable", False)
    if isinstance(needed, str):
        return bool(user.has_perm(needed))
    return bool(needed or user.is_superuser)


def parameters_in(kwargs: dict[str, Any]) -> dict[str, Any]:
    """What a schedule gives the form of its record task. Raises ValueError for what is no mapping."""
    given = kwargs.get("parameters") or {}
    if not isinstance(given, dict):
        raise ValueError(_('The parameters must be of the form {"name": value}.'))
    return given


def loaded_parameters(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The same of a row that is there, of which any may be wrong."""
    given = kwargs.get("parameters")
    return given if isinstance(given, dict) else {}


def misfit(task: Task, args: list[Any], kwargs: dict[str, Any]) -> str:
    """Why the task cannot be called with these arguments; "" if it can. The checks that .delay() makes."""
    try:
        task.__header__(*args, **kwargs)
        if isinstance(task, RecordTask):
            task.with_parameters(kwargs)
    except parameters.BadParameters as error:
        return str(error)
    except TypeError as error:
        return _("The arguments do not fit the task: %(error)s.") % {"error": error}
    return ""
