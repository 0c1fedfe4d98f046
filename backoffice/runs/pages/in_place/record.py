"""The buttons of a record's page: each starts a run over it, and saves first what was typed into its form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ...labels import task_label
from ...registry import RecordTask, find
from .. import timeline
from ..actions import answered, begin
from ..back import with_filters
from ..confirmation.answers import Answers
from ..confirmation.page import Click, edited_by_people
from ..record_page import RecordPage, name_of

SAVE_AND_RUN = "_run"  # name of an input
OUTCOME = "#outcome"
CHECKS = ("", "1")  # what the form's own button says


@dataclass(frozen=True, slots=True)
class SubmitButton:
    """As the theme's line of buttons reads it."""

    action_name: str
    description: Any
    icon: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)


class RunsInPlace:
    """For the admin of a record."""

    admin_site: Any
    checks: Any
    get_object: Any
    get_queryset: Any
    has_view_or_change_permission: Any
    message_user: Any
    opts: Any
    tasks_at_once: Any
    url_of: Any
    save_and_run_words: Any = ""  # of the button; without, the label of its task

    def get_urls(self) -> list[URLPattern]:
        name, seen_by_staff = f"{self.opts.app_label}_{self.opts.model_name}", self.admin_site.admin_view
        return [
            path("<int:pk>/run/<str:action>/", seen_by_staff(require_POST(self.run_over_record)), name=f"{name}_run"),
            path("<int:pk>/at-work/", seen_by_staff(require_GET(self.at_work)), name=f"{name}_at_work"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def run_over_record(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        record = self.get_object(request, str(pk))
        task = self.tasks_at_once(request).get(action)
        if task is None or not self.has_view_or_change_permission(request, record):
            raise PermissionDenied
        if record is None:
            gone: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[attr-defined]
            return gone
        click = self.click_on(request, record, find(task))
        click.hidden = [("form_token", request.POST["form_token"])] if "form_token" in request.POST else []
        answer = answered(click)
        has_begun = isinstance(answer, HttpResponseRedirect)  # its outcome comes onto the record's page by itself
        return redirect(f"{click.back}{OUTCOME}") if has_begun else answer or redirect(click.back)

    def click_on(self, request: HttpRequest, record: Any, task: RecordTask) -> Click:
        rows = self.get_queryset(request).filter(pk=record.pk)
        click = Click(self, request, rows, task, task_label(task.name), capfirst(name_of(record))[:500])
        click.back = with_filters(request, self.url_of("change", record.pk))
        return click

    # --- saved, and worked on at once

    def run_after_saving(self, request: HttpRequest) -> RecordTask | None:
        """What gives the record its outcome, if it asks for nothing and this person may start it."""
        for name in self.tasks_at_once(request).values():
            task = find(name)
            asks = task.parameters is not None or task.asked_reason == "required"
            if task in self.checks and not asks and not edited_by_people(self).intersection(task.writes):
                return task
        return None

    def submit_buttons(self, request: HttpRequest) -> list[SubmitButton]:
        task = self.run_after_saving(request)
        if task is None:
            return []
        words = self.save_and_run_words or _("Save and %(task)s") % {"task": f"“{task_label(task.name)}”"}
        return [
            SubmitButton(SAVE_AND_RUN, words, attrs={"aria-keyshortcuts": "Control+Enter", "title": _("Ctrl+Enter")})
        ]

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if SAVE_AND_RUN in request.POST:
            return self.run_saved(request, obj)
        response: HttpResponse = super().response_add(request, obj, *args, **kwargs)  # type: ignore[misc]
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if SAVE_AND_RUN in request.POST:
            return self.run_saved(request, obj)
        response: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        return response

    def run_saved(self, request: HttpRequest, record: Any) -> HttpResponse:
        """In the transaction that saves: both, or neither. Its page then shows what comes of it."""
        action = request.POST[SAVE_AND_RUN]
        named = self.tasks_at_once(request).get(action)
        task = find(named) if named else self.run_after_saving(request)
        if task is None or (action not in CHECKS and not named):
            raise PermissionDenied
        self.message_user(request, _("Saved: %(record)s") % {"record": record}, messages.SUCCESS)
        click = self.click_on(request, record, task)
        asked = self.asked_of_saved(click, action) if named else begin(click, Answers(task, {}))
        return asked if isinstance(asked, TemplateResponse) else redirect(f"{click.back}{OUTCOME}")

    def asked_of_saved(self, click: Click, action: str) -> HttpResponse | None:
        """The page before a run, where there is one; its answers go where those of the button go."""
        if why := RecordPage(self, click.records.get(), click.request.user).refusal(click.task):
            said = _("“%(task)s” was not started: %(why)s.") % {"task": click.title, "why": why}
            self.message_user(click.request, said, messages.WARNING)
            return None
        click.url = with_filters(click.request, self.url_of("run", click.records.get().pk, action))
        click.hidden = [("form_token", uuid4().hex)]
        return answered(click)

    # --- and followed

    def at_work(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Whether a run is at work on it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        busy = timeline.items_of(self.opts.model, pk).filter(active=True).exists()
        return JsonResponse({"at_work": busy}, headers={"Cache-Control": "no-store"})
