"""Whose a schedule is: whoever saved it last. Asked again at each firing, for rights come and go.

Seeded and configured rows, and those from before there were owners, have none and fire.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs import entitled
from backoffice.runs.registry import record_tasks

from . import access, allowed, selection, switch, words
from .allowed import loads
from .models import Firing, ScheduleState


def responsible(row: PeriodicTask, firing: Firing | None = None) -> tuple[Any, str]:
    """Whose rights count, and their name: whoever pressed Run now, else the owner. (None, name) for a deleted one."""
    people = get_user_model()._default_manager
    if firing and firing.by:
        user = people.filter(**{people.model.USERNAME_FIELD: firing.by}).first()
        return user, firing.by if user else ""  # a program may give a name of its own
    state = ScheduleState.objects.filter(pk=row.pk).first()
    if state is None or state.owner_id is None:
        return None, ""
    return people.filter(pk=state.owner_id).first(), state.owner_name


def objection(row: PeriodicTask, firing: Firing | None = None) -> str:
    """Why it must not fire; "" if it may."""
    if access.is_system(row) or allowed.is_one_off_start(row):  # the run behind a one-off start asks by itself
        return ""
    user, name = responsible(row, firing)
    if not name:
        return ""
    if gone := entitled.absence(user, name):
        return gone
    kwargs = loads(row.kwargs, {})
    if not allowed.may_schedule(user, row.task, kwargs) or not may_choose(user, row.task, kwargs):
        return _("%(who)s asked for it, and may no longer start “%(what)s”.") % {"who": name, "what": words.what(row)}
    return ""


def may_choose(user: Any, task: str, kwargs: dict[str, Any]) -> bool:
    """Who may not look at the records any more may not choose among them either."""
    record_task = record_tasks().get(str(kwargs.get("task"))) if task == allowed.START_RUN else None
    chosen = kwargs.get("filter") or kwargs.get("selection")
    return not record_task or not chosen or selection.may_look(record_task.record_model, user)


def stops(row: PeriodicTask, firing: Firing) -> bool:
    """Asked before a message is sent. A firing that may not be is written as not run, with the reason."""
    if reason := objection(row, firing):
        Firing.objects.waiting().filter(pk=firing.pk).update(state=Firing.State.SKIPPED, reason=reason)
        turn_off(row, firing, reason)
    return bool(reason)


def turn_off(row: PeriodicTask, firing: Firing | None, reason: str) -> None:
    if firing and firing.by:  # somebody pressed Run now: their rights say nothing about the timetable
        return
    to_do = _("Somebody who may start it turns it on again: it is theirs then.")
    switch.disable(row.pk, switch.BEAT, f"{reason} {to_do}")


def in_words(row: PeriodicTask) -> str:
    if access.is_system(row) or allowed.is_one_off_start(row):
        return ""
    state: ScheduleState | None = getattr(row, "state", None)
    if state is None or state.owner_id is None:
        return _("It is nobody's: set up with the installation, in code, or before schedules had owners.")
    return _("It is %(who)s's, who saved it last, and fires with their rights.") % {"who": state.owner_name}
