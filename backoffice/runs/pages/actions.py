"""Admin actions that start runs, for the changelist of any record."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import ActionForm

from ..access import may_start
from ..parameters import BadParameters
from ..registry import find
from ..start import EmptySelection, RunRequest, start_requested
from .confirmation import page
from .confirmation.answers import Answers
from .confirmation.begun import message_of
from .confirmation.click import form_token, hidden_inputs, only_needed, selection_text, ticked
from .staff import StaffAdmin

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# A button beside "Add" on the list of any record: its title, icon and path, as the theme's template reads them.
ListButton = Callable[[Any, HttpRequest], dict[str, str] | None]
list_buttons: list[ListButton] = []  # filled by the wings above this one


class TokenActionForm(ActionForm):
    """The changelist's action form with a token, so that a doubled or replayed POST makes one run."""

    form_token = forms.CharField(required=False, label="", widget=forms.HiddenInput, initial=lambda: uuid4().hex)


class RecordActions(StaffAdmin):
    """At the list of a record: actions are offered to those who may use them, and their form has a token; the list has
    the buttons of the other wings."""

    action_form = TokenActionForm
    takes_lookups = True

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:  # the list, and not a page that an action answered with
            buttons = [button for make in list_buttons if (button := make(self, request))]
            context["actions_list"] = [*context.get("actions_list", ()), *buttons]
        return response

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        return {name: action for name, action in actions.items() if may_use(request.user, action[0])}

    def tasks_at_once(self, request: HttpRequest) -> dict[str, str]:
        """Tasks that this person may start now over one record, by the name of their action: what its own form does
        needs none."""
        found = ((name, action[0]) for name, action in self.get_actions(request).items())
        at_once = ((name, action.record_task) for name, action in found if getattr(action, "at_once", False))
        return {name: task for name, task in at_once if not find(task).by_hand}


def run_action(task: str, name: str, description: Any, permission: str = "") -> Action:
    """An admin action that starts a run of `task` over the selection and lands on its page.

    It asks for the task's own permission; `permission` is one to ask for besides.
    """

    def begin_run(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        click = page.Click(modeladmin, request, queryset, find(task), str(description))
        click.hidden, click.selection = hidden_inputs(request), selection_text(modeladmin, request)
        return answered(click, ticked(request))

    action = guarded(begin_run, task, name, description, permission)
    action.at_once = True  # type: ignore[attr-defined]
    return action


def guarded(work: Action, task: str, name: str, description: Any, permission: str) -> Action:
    """`work` as an admin action for those who may start `task`, and hold `permission` if one is given."""

    def action(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if not may_use(request.user, action):  # an admin without the mixin offers it to everybody
            raise PermissionDenied
        return work(modeladmin, request, queryset)

    action.__name__ = name
    action.short_description = description  # type: ignore[attr-defined]
    action.needs_permission = permission  # type: ignore[attr-defined]
    action.record_task = task  # type: ignore[attr-defined]
    return action


def may_use(user: Any, action: Action) -> bool:
    task, needed = getattr(action, "record_task", ""), getattr(action, "needs_permission", "")
    return (not task or may_start(user, task)) and (not needed or bool(user.has_perm(needed)))


def answered(click: page.Click, asked: int | None = None) -> HttpResponse | None:
    """Begin, or answer with the page that asks first: it comes again, with what is wrong, until all is well."""
    try:
        answers = Answers(click.task, click.request.POST)
    except BadParameters as exc:
        click.admin.message_user(click.request, str(exc), messages.ERROR)
        return None
    if answers.are_given and answers.are_good():
        return begin(click, answers, asked)
    if answers.are_given or page.is_needed(click):
        return page.ask(click, answers)
    return begin(click, answers, asked)


def begin(click: page.Click, answers: Answers, asked: int | None = None) -> HttpResponse | None:
    """Start a run and go to its page; where nothing is left to do, or it is refused after all, stay and say why."""
    request = click.request
    wanted = RunRequest(
        requester=request.user,
        form_token=form_token(request),
        selection=click.selection,
        asked=asked,
        parameters=answers.submitted,
        reason=answers.reason,
        only_needed=only_needed(request),
    )
    again = wanted.answered() is not None
    try:
        run = start_requested(click.records, click.task, wanted)
    except (EmptySelection, ValueError) as exc:
        click.admin.message_user(request, str(exc), messages.WARNING)
        return None
    click.admin.message_user(request, *message_of(run, again))
    return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))
