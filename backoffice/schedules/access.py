"""Who may change, run and delete which schedule."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django_celery_beat.models import PeriodicTask

from backoffice.results import activity
from backoffice.runs.registry import record_tasks

from .rules import permitted
from .rules.permitted import loads


def is_system(schedule: PeriodicTask) -> bool:
    return permitted.is_system(schedule.task)


def may_change(user: Any, schedule: PeriodicTask) -> bool:
    """Besides the permission: system schedules are the superuser's, a planned run's row is its run's, and nobody
    schedules what they could not start by hand."""
    if is_system(schedule):
        return bool(user.is_superuser)
    if permitted.is_one_off_start(schedule):
        return False
    return is_unknown(schedule) or permitted.may_schedule(user, schedule.task, loads(schedule.kwargs, {}))


def holds(user: Any, schedule: PeriodicTask) -> bool:
    """Both: the permission to change schedules, and the right over this one."""
    return bool(user.has_perm("django_celery_beat.change_periodictask")) and may_change(user, schedule)


def may_delete(user: Any, schedule: PeriodicTask) -> bool:
    return not is_system(schedule) and not permitted.is_one_off_start(schedule) and may_change(user, schedule)


def owned_by(schedule: PeriodicTask, by: Any) -> dict[str, Any]:
    """The columns that make it this person's. The machine's own schedules stay the machine's, whoever changed them."""
    if is_system(schedule) or not isinstance(by, AbstractBaseUser):
        return {}
    return {"owner_id": by.pk, "owner_name": activity.name_of(by)}


def is_unknown(schedule: PeriodicTask) -> bool:
    """It starts nothing, so that whoever may change schedules may repair or remove it."""
    if schedule.task == permitted.START_RUN:
        return str(loads(schedule.kwargs, {}).get("task")) not in record_tasks()
    return bool(permitted.refusal(schedule.task))
