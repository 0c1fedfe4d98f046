"""Who may change, run and delete which schedule."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django_celery_beat.models import PeriodicTask

from backoffice.runs.registry import record_tasks

from .rules import permitted
from .rules.permitted import loads


def is_system(row: PeriodicTask) -> bool:
    return permitted.is_system(row.task)


def may_change(user: Any, row: PeriodicTask) -> bool:
    """Besides the permission: system schedules are the superuser's, a planned run's row is its run's, and nobody
    schedules what they could not start by hand."""
    if is_system(row):
        return bool(user.is_superuser)
    if permitted.is_one_off_start(row):
        return False
    return is_unknown(row) or permitted.may_schedule(user, row.task, loads(row.kwargs, {}))


def holds(user: Any, row: PeriodicTask) -> bool:
    """Both: the permission to change schedules, and the right over this one."""
    return bool(user.has_perm("django_celery_beat.change_periodictask")) and may_change(user, row)


def may_delete(user: Any, row: PeriodicTask) -> bool:
    return not is_system(row) and not permitted.is_one_off_start(row) and may_change(user, row)


def owned_by(row: PeriodicTask, by: Any) -> dict[str, Any]:
    """The columns that make it this person's. The machine's own schedules stay the machine's, whoever changed them."""
    if is_system(row) or not isinstance(by, AbstractBaseUser):
        return {}
    return {"owner_id": by.pk, "owner_name": str(by)}


def is_unknown(row: PeriodicTask) -> bool:
    """It starts nothing, so that whoever may change schedules may repair or remove it."""
    if row.task == permitted.START_RUN:
        return str(loads(row.kwargs, {}).get("task")) not in record_tasks()
    return bool(permitted.refusal(row.task))
