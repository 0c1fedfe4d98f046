"""Admin actions that start runs, for the changelist of any record."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.forms import ActionForm

from ..access import may_start
from ..labels import value_label
from ..models import Run
from ..registry import find
from ..start import EmptySelection, RunRequest, preview, start_requested
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
        """Tasks that this person may start now, by the name of their action."""
        found = ((name, action[0]) for name, action in self.get_actions(request).items())
        return {name: action.record_task for name, action in found if getattr(action, "at_once", False)}


def run_action(task: str, name: str, description: Any, permission: str = "") -> Action:
    """An admin action that starts a run of `task` over the selection and lands on its page.

    It asks for the task's own permission; `permission` is one to ask for besides.
    """

    def begin_run(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if needs_confirmation(request, queryset):
            return confirm(modeladmin, request, queryset, task, name, description)
        return begin(modeladmin, request, queryset, task, selection_text(modeladmin, request), ticked(request))

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


def begin(
    modeladmin: Any,
    request: HttpRequest,
    records: QuerySet[Any],
    task: str,
    selection: str,
    asked: int | None = None,
) -> HttpResponse | None:
    """Start a run and go to its page; where nothing is left to do, stay and say why."""
    wanted = RunRequest(requester=request.user, form_token=form_token(request), selection=selection, asked=asked)
    again = wanted.answered() is not None
    try:
        run = start_requested(records, task, wanted)
    except (EmptySelection, ValueError) as exc:
        modeladmin.message_user(request, str(exc), messages.WARNING)
        return None
    modeladmin.message_user(request, *_message(run, again))
    return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))


def _message(run: Run, again: bool) -> tuple[str, int]:
    if again:
        return _("This form was sent before: here is the run it started."), messages.INFO
    skipped = "; ".join(f"{number} {reason}" for reason, number in run.skip_reasons.items())
    text = ngettext("%(n)s record is in this run.", "%(n)s records are in this run.", run.total) % {
        "n": f"{run.total:,}"
    }
    if skipped:
        text += " " + _("Skipped: %(reasons)s.") % {"reasons": skipped}
    if run.cancelled_at:
        return text + " " + _("The run was cancelled: %(reason)s.") % {"reason": run.cancel_reason}, messages.ERROR
    if run.waits_for_broker:
        text += " " + _("Redis cannot be reached right now: the run is saved and starts by itself when Redis is back.")
        return text, messages.WARNING
    return text, messages.SUCCESS


def needs_confirmation(request: HttpRequest, records: QuerySet[Any]) -> bool:
    if request.POST.get("confirmed") or request.POST.get("select_across") != "1":
        return False
    return records.order_by().values("pk")[settings.RUNS_CONFIRM_ABOVE : settings.RUNS_CONFIRM_ABOVE + 1].exists()


def confirm(
    modeladmin: Any, request: HttpRequest, records: QuerySet[Any], task: str, name: str, description: Any
) -> TemplateResponse:
    """The page that says how many records match, how many are worked on, and which are skipped for what reason."""
    opts = modeladmin.model._meta
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": opts,
        "title": str(description),
        "preview": preview(records, task, by=request.user),
        "task": find(task),
        "selection": selection_text(modeladmin, request),
        "action_name": name,
        "hidden": hidden_inputs(request),
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "runs/confirm.html", context)


def hidden_inputs(request: HttpRequest) -> list[tuple[str, str]]:
    """What a page between the changelist and the action must send along, for the selection to be the same."""
    names = ("action", "select_across", "form_token", "index", "error")
    carried = [(name, request.POST.get(name, "")) for name in names if name in request.POST]
    return [*carried, *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME))]


def ticked(request: HttpRequest) -> int | None:
    """How many rows were selected by hand; None for "all that match"."""
    is_all = request.POST.get("select_across") == "1"
    return None if is_all else len(set(request.POST.getlist(ACTION_CHECKBOX_NAME)))


def selection_text(modeladmin: Any, request: HttpRequest) -> str:
    """The selection in words, for the run's page and the auditors."""
    if request.POST.get("select_across") != "1":
        number = len(request.POST.getlist(ACTION_CHECKBOX_NAME))
        return ngettext("%d record, selected by hand", "%d records, selected by hand", number) % number
    model = modeladmin.model
    query = {
        (field := name.removesuffix("__exact")): ", ".join(value_label(model, field, value) for value in values)
        for name, values in request.GET.lists()
        if any(values) and name not in ("p", "o", "e", "all", "_facets", "_changelist_filters")
    }
    if not query:
        return _("All %(records)s") % {"records": model._meta.verbose_name_plural}
    search = query.pop("q", "")
    words = [f"{name}: {value}" for name, value in query.items()]
    return "; ".join([*words, *([_("search “%s”") % search] if search else [])])


def form_token(request: HttpRequest) -> str | None:
    """One per form, person and selection: going back and choosing other rows is another click, a replay is not."""
    given = request.POST.get("form_token")
    if not given:
        return None
    parts = [str(request.user.pk), request.get_full_path(), *(f"{k}={v}" for k, v in hidden_inputs(request))]
    return hashlib.sha256("\n".join([given, *parts]).encode()).hexdigest()
