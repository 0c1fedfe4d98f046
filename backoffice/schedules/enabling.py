"""Turning schedules on and off, with who, why and a line in the log. Beat and the admin use the same verbs."""

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backoffice.results import activity
from backoffice.runs.database.again import again
from backoffice.runs.engine import events
from backoffice.runs.models import Event, new_uid

from . import access
from .models import ScheduleState
from .rules import permitted
from .rules.verify import BadSchedule, verify, verify_future

BEAT = "beat"


@again()
def disable(schedule_id: int, by: Any, reason: str = "") -> bool:
    """True when it was on. Touches no column but `enabled`: the row may hold what cannot be loaded."""
    with transaction.atomic():
        won = PeriodicTask.objects.filter(pk=schedule_id, enabled=True).update(enabled=False)
        if won:
            note_off(schedule_id, by, reason)
            name = PeriodicTask.objects.values_list("name", flat=True).get(pk=schedule_id)
            log(by, "schedule.disabled", schedule_id, name, reason=reason)
            tell_owner(schedule_id, by, name, reason)
            PeriodicTasks.update_changed()
    return bool(won)


def turn_off(schedule: PeriodicTask, by: Any) -> bool:
    """Staff's verb: no reason but their name."""
    return disable(schedule.pk, by)


def note_off(schedule_id: int, by: Any, reason: str = "") -> None:
    # An empty timing: what passes while it is off is not missed.
    values = {"reason": reason, "off_by": activity.name_of(by), "off_at": timezone.now(), "timing": ""}
    ScheduleState.objects.update_or_create(schedule_id=schedule_id, defaults=values)


def tell_owner(schedule_id: int, by: Any, name: str, reason: str) -> None:
    """An event, in the transaction that turned it off, unless they did it themselves."""
    owner = ScheduleState.objects.values_list("owner_id", flat=True).get(pk=schedule_id)
    if owner is not None and owner != getattr(by, "pk", None):
        told: dict[str, Any] = {"schedule": schedule_id, "owner": str(owner), "name": name, "by": activity.name_of(by)}
        events.write(Event.Kind.SCHEDULE_OFF, uid=new_uid(), reason=reason, **told)


@again()
def enable(schedule: PeriodicTask, by: Any) -> bool:
    """True when it was off. Raises BadSchedule when it could not be loaded, or could never fire again."""
    verify(schedule)
    verify_future(schedule)
    with transaction.atomic():
        # date_changed: due times count from now on.
        won = PeriodicTask.objects.filter(pk=schedule.pk, enabled=False).update(
            enabled=True, last_run_at=None, date_changed=timezone.now()
        )
        if won:
            cleared = {"reason": "", "off_by": "", "off_at": None, "timing": "", **access.owned_by(schedule, by)}
            ScheduleState.objects.update_or_create(schedule_id=schedule.pk, defaults=cleared)
            log(by, "schedule.enabled", schedule.pk, schedule.name)
            PeriodicTasks.update_changed()
    return bool(won)


def restore_system() -> None:
    """Turn on what a beat of the version before turned off during an upgrade: it did not know the task."""
    for schedule in PeriodicTask.objects.filter(enabled=False, task__in=permitted.system_names(), state__off_by=BEAT):
        with suppress(BadSchedule):
            enable(schedule, BEAT)


def log(by: Any, verb: str, schedule_id: int, name: str, **details: Any) -> None:
    """An activity of a schedule by id and name: the row may hold what cannot be loaded."""
    activity.log(by, verb, activity.Subject(name, PeriodicTask._meta.label_lower, str(schedule_id)), **details)
