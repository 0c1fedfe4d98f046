"""Admin actions on schedules that ask first: only the rows this person may touch, one verb, counts and refusals."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs.pages.confirmation.click import hidden_inputs

from .. import access
from ..models import Firing
from ..rules import words
from ..rules.verify import BadSchedule

ASKED = "asked"
FROM_PAGE = "from_page"
Telling = Callable[[list[PeriodicTask], Any], Iterable[str]]
FIRED = '{} (<a class="bo-link" href="{}">{}</a>)'


def confirmed(
    modeladmin: Any,
    request: HttpRequest,
    queryset: QuerySet[PeriodicTask],
    title: str,
    verb: Callable[[PeriodicTask, Any], Any],
    success: Callable[[list[Any]], str],
    telling: Telling = lambda schedules, user: [""] * len(schedules),
) -> HttpResponse | None:
    """Call the verb on each row once the person has confirmed; before that, the page that asks. `success`: in words, of
    what the verb returned; `telling`: what the page says of each besides."""
    schedules = list(queryset)
    mine = [schedule for schedule in schedules if access.may_change(request.user, schedule)]
    if len(mine) < len(schedules):
        message = _(
            "Left out, because they are the system's, a planned run's, or start what you may not start: %(names)s."
        )
        names = ", ".join(schedule.name for schedule in schedules if schedule not in mine)
        modeladmin.message_user(request, message % {"names": names}, messages.WARNING)
    if not mine:
        return None
    if not request.POST.get("confirmed"):
        return ask(modeladmin, request, mine, title, telling)
    if request.POST.get(ASKED, mark := mark_of(mine)) != mark:
        message = _("Something has changed since this page asked, so nothing was done. This is how it stands now.")
        modeladmin.message_user(request, message, messages.WARNING)
        return ask(modeladmin, request, mine, title, telling)
    done = [made for schedule in mine if (made := attempt(modeladmin, request, schedule, verb))]
    if done:
        modeladmin.message_user(request, success(done), messages.SUCCESS)
    return redirect(page) if (page := page_of(request, mine)) else None


def page_of(request: HttpRequest, schedules: list[PeriodicTask]) -> str:
    """Of the schedule whose own page asked; "" where it was the list."""
    if request.POST.get(FROM_PAGE) != "1" or len(schedules) != 1:
        return ""
    return reverse("admin:django_celery_beat_periodictask_change", args=[schedules[0].pk])


def mark_of(schedules: list[PeriodicTask]) -> str:
    """Of all that a person agrees to: which schedules, what each does, and when."""
    said = [
        (schedule.pk, schedule.name, schedule.task, schedule.args, schedule.kwargs, words.when(schedule))
        for schedule in schedules
    ]
    return sha256(repr(said).encode()).hexdigest()[:16]


def attempt(
    modeladmin: Any, request: HttpRequest, schedule: PeriodicTask, verb: Callable[[PeriodicTask, Any], Any]
) -> Any:
    try:
        return verb(schedule, request.user)
    except BadSchedule as error:
        modeladmin.message_user(request, f"{schedule.name}: {error}", messages.ERROR)
        return None


def number_of(sentence: str, of_one: str) -> Callable[[list[Any]], str]:
    """Of one by its name."""
    return lambda done: sentence % {"n": len(done)} if done[1:] else of_one % {"name": done[0].name}


def that(verb: Callable[[PeriodicTask, Any], bool]) -> Callable[[PeriodicTask, Any], PeriodicTask | None]:
    """The schedule, where the verb did something."""
    return lambda schedule, by: schedule if verb(schedule, by) else None


def started(firings: list[Firing]) -> str:
    """Each leads to its run."""
    links = (
        (each.schedule_name, reverse("admin:schedules_firing_run", args=[each.pk]), _("go to its run"))
        for each in firings
    )
    return format_html(_("Started: {schedules}"), schedules=format_html_join(", ", FIRED, links))


def ask(
    modeladmin: Any, request: HttpRequest, schedules: list[PeriodicTask], title: str, telling: Telling
) -> TemplateResponse:
    page, told = page_of(request, schedules), zip(schedules, telling(schedules, request.user), strict=True)
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": modeladmin.model._meta,
        "title": title,
        "rows": [(schedule.name, words.what(schedule), words.when(schedule), said) for schedule, said in told],
        "hidden": [*hidden_inputs(request), (ASKED, mark_of(schedules)), *([(FROM_PAGE, "1")] if page else [])],
        "action": request.get_full_path(),
        "page": page,
    }
    return TemplateResponse(request, "schedules/confirm.html", context)
