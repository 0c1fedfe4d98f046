"""Changing a schedule's filter in the list of its records: what the session knows of it between the two pages."""

import time
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django_celery_beat.models import PeriodicTask

from backoffice.runs.registry import record_tasks

from .. import access
from ..rules import permitted, relative, selection
from ..rules.permitted import loads

KEY = "schedule_filter"
PICKED = "picked"  # and not "selection", by which the address of a new schedule fills its form
LONGEST = 3600  # seconds: then somebody has gone on to something else


def begin(request: HttpRequest, schedule: PeriodicTask | None, query: str) -> None:
    request.session[KEY] = {"of": schedule and schedule.pk, "was": selection.clean_query(query), "at": time.time()}


def end(request: HttpRequest) -> str:
    """The filter that a person comes back with."""
    request.session.pop(KEY, None)
    return selection.clean_query(request.GET[PICKED])


def begun(request: HttpRequest) -> dict[str, Any]:
    session = getattr(request, "session", None)  # a schedule's filter is read by a request without one
    found: dict[str, Any] = (session.get(KEY) if session is not None else None) or {}
    return found if found and time.time() - found["at"] < LONGEST else {}


def chosen_for(model: type[Model], request: HttpRequest) -> PeriodicTask | None:
    """The schedule whose filter is to be changed, if it is over these records and this person's to change."""
    pk = begun(request).get("of")
    schedule = PeriodicTask.objects.filter(pk=pk, task=permitted.START_RUN).first() if pk else None
    if schedule is None or not request.user.has_perm("django_celery_beat.change_periodictask"):
        return None
    task = record_tasks().get(str(loads(schedule.kwargs, {}).get("task")))
    is_over = task is not None and task.record_model is model
    return schedule if is_over and access.may_change(request.user, schedule) else None


def kept(model: type[Model], query: QueryDict, request: HttpRequest) -> QueryDict:
    """The list knows no days that move: what it was opened with and has not changed moves on."""
    was = QueryDict(begun(request).get("was", ""))
    try:
        shown = relative.fixed_query(model, was, relative.moment_of(None))
    except selection.BadSelection:
        return query
    found = query.copy()
    for name in found.keys() & was.keys():
        if found.getlist(name) == shown.getlist(name):
            found.setlist(name, was.getlist(name))
    return found
