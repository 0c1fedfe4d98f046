"""Admin actions on schedules that ask first: only the rows this person may touch, one verb, counts and refusals."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs.pages.actions import hidden_inputs

from .. import access
from ..rules import words
from ..rules.verify import BadSchedule


def confirmed(
    modeladmin: Any,
    request: HttpRequest,
    queryset: QuerySet[PeriodicTask],
    title: str,
    verb: Callable[[PeriodicTask, Any], Any],
    success: str,
) -> HttpResponse | None:
    """Call the verb on each row once the person has confirmed; before that, the page that asks."""
    rows = list(queryset)
    mine = [row for row in rows if access.may_change(request.user, row)]
    if len(mine) < len(rows):
        message = _(
            "Left out, because they are the system's, a planned run's, or start what you may not start: %(names)s."
        )
        names = ", ".join(row.name for row in rows if row not in mine)
        modeladmin.message_user(request, message % {"names": names}, messages.WARNING)
    if not mine:
        return None
    if not request.POST.get("confirmed"):
        return ask(modeladmin, request, mine, title)
    done = sum(attempt(modeladmin, request, row, verb) for row in mine)
    if done:
        modeladmin.message_user(request, success % {"n": done}, messages.SUCCESS)
    return None


def attempt(modeladmin: Any, request: HttpRequest, row: PeriodicTask, verb: Callable[[PeriodicTask, Any], Any]) -> bool:
    try:
        return bool(verb(row, request.user))
    except BadSchedule as error:
        modeladmin.message_user(request, f"{row.name}: {error}", messages.ERROR)
        return False


def ask(modeladmin: Any, request: HttpRequest, rows: list[PeriodicTask], title: str) -> TemplateResponse:
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": modeladmin.model._meta,
        "title": title,
        "rows": [(row.name, words.what(row), words.when(row)) for row in rows],
        "hidden": hidden_inputs(request),
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "schedules/confirm.html", context)
