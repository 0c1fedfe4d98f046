"""From a schedule's page to the list of its records, to change the filter there."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from backoffice.runs.registry import record_tasks

from ..form import choosing, record_list
from ..rules import relative, selection


def choose(model_admin: Any, request: HttpRequest) -> HttpResponse:
    task = record_tasks().get(request.GET.get("task", ""))
    if task is None:
        raise Http404
    schedule = model_admin.get_object(request, request.GET["of"]) if "of" in request.GET else None
    may = model_admin.has_change_permission(request, schedule) if schedule else model_admin.has_add_permission(request)
    query = selection.clean_query(request.GET.get("selection", ""))
    # As `kept` reads it again: one clock for both.
    shown = selection.as_of(task.record_model, query, relative.moment_of(None))
    url = record_list.list_of(task.record_model, shown, request.user)
    if not may or not url:
        raise PermissionDenied
    choosing.begin(request, schedule, query)
    return redirect(url)
