"""From the list of any record to the schedule form, with the list's filters and search, and back."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_permission_codename
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs.access import may_start
from backoffice.runs.registry import find, record_tasks

from ..rules import permitted, relative, selection
from ..rules.permitted import loads
from .form_values import RECORDS


def schedule_this_filter(model_admin: Any, request: HttpRequest) -> dict[str, str] | None:
    """For those who may add schedules and start one of the list's record tasks by hand."""
    task = first_task(model_admin, request)
    if not task or not request.user.has_perm("django_celery_beat.add_periodictask"):
        return None
    query = relative.moving(model_admin.model, request.GET)
    filled = {"work": f"{RECORDS}{task}", "selection": selection.clean_query(query.urlencode())}
    path = f"{reverse('admin:django_celery_beat_periodictask_add')}?{urlencode(filled)}"
    return {"title": _("Schedule this filter"), "icon": "event_repeat", "path": path}


def first_task(model_admin: Any, request: HttpRequest) -> str:
    """The record task of the first action that this person has on the list: the one its team put first."""
    names = (getattr(action, "record_task", "") for action, *_words in model_admin.get_actions(request).values())
    return next((find(name).name for name in names if name and may_start(request.user, name)), "")


def url_of(schedule: PeriodicTask, user: Any) -> str:
    """The list of the records that a schedule takes, filtered; "" where there is none that this person may see."""
    kwargs = loads(schedule.kwargs, {})
    task = record_tasks().get(str(kwargs.get("task"))) if schedule.task == permitted.START_RUN else None
    if task is None:
        return ""
    opts = task.record_model._meta
    if not user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"):
        return ""
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    except NoReverseMatch:
        return ""
    query = selection.as_of(task.record_model, selection.describe(kwargs), relative.moment_of(schedule))
    return f"{url}?{query}" if query else url
