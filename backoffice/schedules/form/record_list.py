"""From the list of any record to the schedule form, with the list's filters and search, and back."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs.access import may_start
from backoffice.runs.registry import find, record_tasks

from ..rules import permitted, relative, selection
from ..rules.permitted import loads
from . import choosing
from .form_values import RECORDS


def schedule_this_filter(model_admin: Any, request: HttpRequest) -> dict[str, str] | None:
    """For those who may add schedules and start one of the list's record tasks by hand."""
    task = first_task(model_admin, request)
    if not task or not request.user.has_perm("django_celery_beat.add_periodictask"):
        return None
    query = choosing.kept(model_admin.model, relative.moving(model_admin.model, request.GET), request)
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
    query = selection.describe(kwargs)
    return list_of(task.record_model, selection.as_of(task.record_model, query, relative.moment_of(schedule)), user)


def list_of(model: type[Model], query: str, user: Any) -> str:
    opts = model._meta
    if not user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"):
        return ""
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    except NoReverseMatch:
        return ""
    return f"{url}?{query}" if query else url


def choose_url(schedule: PeriodicTask, user: Any) -> str:
    """To change its filter in the list, and to come back with it."""
    if not url_of(schedule, user):
        return ""
    kwargs = loads(schedule.kwargs, {})
    given = {"task": kwargs["task"], "selection": selection.describe(kwargs)}
    return f"{reverse('admin:schedules_choose')}?{urlencode(given | ({'of': schedule.pk} if schedule.pk else {}))}"


def use_this_filter(model_admin: Any, request: HttpRequest) -> dict[str, str] | None:
    """For whoever came from a schedule's page to change its filter."""
    schedule = choosing.chosen_for(model_admin.model, request)
    if schedule is None:
        return None
    query = choosing.kept(model_admin.model, relative.moving(model_admin.model, request.GET), request)
    page = reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])
    path = f"{page}?{urlencode({choosing.PICKED: selection.clean_query(query.urlencode())})}"
    return {"title": _("Use this filter for “%(name)s”") % {"name": schedule.name}, "icon": "check", "path": path}
