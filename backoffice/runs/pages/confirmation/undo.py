"""The page before an undo: how much can be set back, what has changed since, and what no undo takes back."""

from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ... import access, operations
from ...change import shown, undoable
from ...labels import task_label
from ...models import Run
from ...registry import find
from ...start import EmptySelection
from .. import items
from ..back import with_filters
from ..numbers import row_number
from .answers import Answers
from .begun import message_of
from .click import form_token


def answered(modeladmin: Any, request: HttpRequest, run: Run) -> HttpResponse:
    """Show it, or do it: of the run, or of the one record that the address names."""
    if not request.user.has_perm("runs.undo_run"):
        raise PermissionDenied
    if refusal := undoable.refusal(run):
        return _page(modeladmin, request, run, refusal=refusal)
    if not access.may_undo(request.user, run):
        raise PermissionDenied(access.undo_refusal(request.user, run))
    task, only = find(run.task.name).varied(parameters=None), row_number(request.GET.get("record"))
    answers = Answers(task, request.POST)
    if answers.are_given and answers.are_good():
        return _begin(modeladmin, request, run, answers, only)
    outlook = undoable.outlook(run, task, whole=request.GET.get("whole") == "1", only=only)
    return _page(
        modeladmin, request, run, task=task, answers=answers, outlook=outlook, token=uuid4().hex,
        record=items.named(run, [only], request.user)[only][0] if only else "", **_moved(run, outlook, request.user),
    )  # fmt: skip


def _begin(modeladmin: Any, request: HttpRequest, run: Run, answers: Answers, only: int | None) -> HttpResponse:
    token, records = form_token(request), None if only is None else [only]
    again = bool(token) and Run.objects.filter(form_token=token).exists()
    try:
        new = operations.undo(run, request.user, records=records, reason=answers.reason, form_token=token)
    except (EmptySelection, ValueError) as exc:
        return _page(modeladmin, request, run, refusal=str(exc))
    modeladmin.message_user(request, *message_of(new, again))
    return redirect("admin:runs_run_change", new.pk)


def _moved(run: Run, outlook: undoable.Outlook, user: Any) -> dict[str, Any]:
    """The records that would be left alone, for those who may look at them."""
    model = run.record_type.model_class()
    may_look = model is not None and access.may_see_records(user, model)
    names = items.named(run, [pk for pk, _why in outlook.listed] if may_look else [], user)
    lines = [
        (*names[pk], str(why), shown.moves_in_words(model, why.moves)) for pk, why in outlook.listed if may_look
    ]  # fmt: skip
    return {"may_look": may_look, "lines": lines}


def _page(modeladmin: Any, request: HttpRequest, run: Run, **more: Any) -> TemplateResponse:
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": modeladmin.opts,
        "original": run,
        "title": _("Undo run %(run)d, “%(task)s”") % {"run": run.pk, "task": task_label(run.task.name)},
        "action": request.get_full_path(),
        "back": with_filters(request, reverse("admin:runs_run_change", args=[run.pk])),
        **more,
    }
    return TemplateResponse(request, "runs/undo.html", context)
