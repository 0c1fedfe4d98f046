"""The admin action "Process later": a page that asks when, then a run that waits for it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.runs.labels import task_label
from backoffice.runs.pages.actions import Action, guarded
from backoffice.runs.pages.confirmation.answers import Answers
from backoffice.runs.pages.confirmation.click import form_token, hidden_inputs, only_needed, selection_text, ticked
from backoffice.runs.pages.confirmation.page import first_names
from backoffice.runs.parameters import BadParameters
from backoffice.runs.preview.counts import preview
from backoffice.runs.registry import find
from backoffice.runs.start import EmptySelection, RunRequest

from .. import later
from ..form.fields import MOMENT, MomentField


class LaterForm(forms.Form):
    due_at = MomentField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["due_at"]
        field.label = _("Start at")
        field.help_text = _("Time zone: %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        field.widget.attrs |= {"min": f"{timezone.localtime():{MOMENT}}", "autofocus": True}

    def clean_due_at(self) -> datetime:
        due_at: datetime = self.cleaned_data["due_at"]
        if due_at <= timezone.now():
            raise forms.ValidationError(
                _("This time has passed: it is %(now)s now. Choose a later one.")
                % {"now": f"{timezone.localtime():%Y-%m-%d %H:%M %Z}"}
            )
        return due_at


def later_action(task: str, name: str, description: Any, permission: str = "") -> Action:
    """An admin action for any record's list: asks for a date and time and plans a run of `task` over the selection.

    It asks for the task's own permission; `permission` is one to ask for besides.
    """

    def ask_and_plan(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        form = LaterForm(request.POST if "due_at" in request.POST else None, initial={"due_at": in_an_hour()})
        try:
            answers = Answers(find(task), request.POST, by="due_at")
        except BadParameters as error:
            modeladmin.message_user(request, str(error), messages.ERROR)
            return None
        if form.is_valid() & answers.are_good():  # both tell what is wrong
            return plan(modeladmin, request, queryset, task, form.cleaned_data["due_at"], answers)
        return ask(modeladmin, request, queryset, task, form, answers)

    return guarded(ask_and_plan, task, name, description, permission)


def in_an_hour() -> datetime:
    return (timezone.localtime() + timedelta(hours=1)).replace(second=0, microsecond=0)


def plan(
    modeladmin: Any, request: HttpRequest, records: QuerySet[Any], task: str, due_at: datetime, answers: Answers
) -> HttpResponse | None:
    try:
        run = later.plan(
            records,
            task,
            RunRequest(
                requester=request.user,
                due_at=due_at,
                selection=selection_text(modeladmin, request),
                asked=ticked(request),
                parameters=answers.submitted,
                reason=answers.reason,
                only_needed=only_needed(request),
                # With the time: going back and choosing another one is another wish, a doubled POST is not.
                form_token=f"{form_token(request) or uuid.uuid4().hex}"[:40] + f"-{due_at.timestamp():.0f}",
            ),
        )
    except (EmptySelection, ValueError) as nothing:
        modeladmin.message_user(request, str(nothing), messages.WARNING)
        return None
    modeladmin.message_user(request, _("The run is planned; it starts by itself."), messages.SUCCESS)
    return redirect("admin:runs_run_change", run.pk)


def ask(
    modeladmin: Any, request: HttpRequest, records: QuerySet[Any], task: str, form: LaterForm, answers: Answers
) -> TemplateResponse:
    """The page that asks when. It posts to the list's own address, so that Django selects the same records again."""
    answers.offer(records, request.GET)
    hidden = hidden_inputs(request)
    if not request.POST.get("form_token"):
        hidden = [*((n, v) for n, v in hidden if n != "form_token"), ("form_token", uuid.uuid4().hex)]
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": _("Process later"),
        "opts": modeladmin.model._meta,
        "form": form,
        "answers": answers,
        "preview": preview(records, task, by=request.user),
        "first": first_names(records, find(task)),
        "what": task_label(find(task).name),
        "selection": selection_text(modeladmin, request),
        "hidden": hidden,
        "back": request.get_full_path(),
        "zone": timezone.get_current_timezone_name(),
    }
    return TemplateResponse(request, "schedules/later.html", context)
