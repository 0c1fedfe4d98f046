"""Whose a schedule is: whoever saved it last. Asked again at each firing, for rights come and go.

Seeded and configured rows, and those from before there were owners, have none and fire.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs import access as runs_access
from backoffice.runs.registry import record_tasks

from . import access, enabling
from .models import Firing, ScheduleState
from .rules import permitted, selection, words
from .rules.permitted import loads


class Owners:
    """Of many schedules, in two queries; whoever owns several of them is asked about each right once."""

    def __init__(self, schedules: Iterable[PeriodicTask]) -> None:
        self.states = ScheduleState.objects.in_bulk({schedule.pk for schedule in schedules})
        ids = {state.owner_id for state in self.states.values() if state.owner_id}
        self.people = get_user_model()._default_manager.in_bulk(ids) if ids else {}

    def of(self, schedule: PeriodicTask) -> tuple[Any, str]:
        state = self.states.get(schedule.pk)
        if state is None or state.owner_id is None:
            return None, ""
        return self.people.get(state.owner_id), state.owner_name


def responsible(schedule: PeriodicTask, firing: Firing | None = None, owners: Owners | None = None) -> tuple[Any, str]:
    """Whose rights count, and their name: whoever pressed Run now, else the owner. (None, name) for a deleted one."""
    if firing and firing.by:
        people = get_user_model()._default_manager
        user = people.filter(**{people.model.USERNAME_FIELD: firing.by}).first()
        return user, firing.by if user else ""  # a program may give a name of its own
    return (owners or Owners([schedule])).of(schedule)


def objection(schedule: PeriodicTask, firing: Firing | None = None, owners: Owners | None = None) -> str:
    """Why it must not fire; "" if it may."""
    if access.is_system(schedule) or permitted.is_one_off_start(
        schedule
    ):  # the run behind a one-off start asks by itself
        return ""
    user, name = responsible(schedule, firing, owners)
    if not name:
        return ""
    if gone := runs_access.absence(user, name):
        return gone
    kwargs = loads(schedule.kwargs, {})
    if not permitted.may_schedule(user, schedule.task, kwargs) or not may_choose(user, schedule.task, kwargs):
        return _("%(who)s asked for it, and may no longer start “%(what)s”.") % {
            "who": name,
            "what": words.what(schedule),
        }
    return ""


def may_choose(user: Any, task: str, kwargs: dict[str, Any]) -> bool:
    """Who may not look at the records any more may not choose among them either."""
    record_task = record_tasks().get(str(kwargs.get("task"))) if task == permitted.START_RUN else None
    chosen = kwargs.get("filter") or kwargs.get("selection")
    return not record_task or not chosen or selection.may_look(record_task.record_model, user)


def sendable(calls: Sequence[tuple[PeriodicTask, Firing]]) -> list[tuple[PeriodicTask, Firing]]:
    """Those that may be sent."""
    owners = Owners(schedule for schedule, _firing in calls)
    return [(schedule, firing) for schedule, firing in calls if not stops(schedule, firing, owners)]


def stops(schedule: PeriodicTask, firing: Firing, owners: Owners | None = None) -> bool:
    """Asked before a message is sent. A firing that may not be is written as skipped, with the reason."""
    if reason := objection(schedule, firing, owners):
        Firing.objects.waiting().filter(pk=firing.pk).update(state=Firing.State.SKIPPED, reason=reason)
        turn_off(schedule, firing, reason)
    return bool(reason)


def turn_off(schedule: PeriodicTask, firing: Firing | None, reason: str) -> None:
    if firing and firing.by:  # somebody pressed Run now: their rights say nothing about the timetable
        return
    to_do = _("Somebody who may start it turns it on again: it is theirs then.")
    enabling.disable(schedule.pk, enabling.BEAT, f"{reason} {to_do}")


def in_words(schedule: PeriodicTask) -> str:
    if access.is_system(schedule) or permitted.is_one_off_start(schedule):
        return ""
    state: ScheduleState | None = getattr(schedule, "state", None)
    if state is None or state.owner_id is None:
        return _("It is nobody's: set up with the installation, in code, or before schedules had owners.")
    return _("It is %(who)s's, who saved it last, and fires with their rights.") % {"who": state.owner_name}
