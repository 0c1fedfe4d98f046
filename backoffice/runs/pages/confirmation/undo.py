"""The page before an undo: how much can be set back, what has changed since, and what no undo takes back."""

from typing import Any, NamedTuple
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ... import access, operations
from ...change import shown, undoable
from ...labels import undo_title
from ...models import ChangeSet, Run
from ...registry import find
from ...start import EmptySelection
from .. import items
from ..back import with_filters
from ..numbers import row_number
from .answers import Answers
from .begun import message_of
from .click import form_token

FROM, CHANGES = "from", "changes"  # where one came from


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
        record=items.named(run, [only], request.user)[only][0] if only else "", fields=_fields(run, only),
        **_moved(run, outlook, request.user),
    )  # fmt: skip


def _begin(modeladmin: Any, request: HttpRequest, run: Run, answers: Answers, only: int | None) -> HttpResponse:
    token, records = form_token(request), None if only is None else [only]
    again = bool(token) and Run.objects.filter(form_token=token).exists()
    try:
        new = operations.undo(run, request.user, records=records, reason=answers.reason, form_token=token)
    except (EmptySelection, ValueError) as exc:
        return _page(modeladmin, request, run, refusal=str(exc))
    modeladmin.message_user(request, *message_of(new, again))
    back = _way_back(request, run)
    return redirect(f"{back.url}#outcome") if back.is_record else redirect("admin:runs_run_change", new.pk)


def _moved(run: Run, outlook: undoable.Outlook, user: Any) -> dict[str, Any]:
    """The records that would be left alone, for those who may look at them."""
    model = run.record_type.model_class()
    may_look = model is not None and access.may_see_records(user, model)
    listed = [pk for pk, _why in outlook.listed]
    names = items.named(run, [*outlook.first, *listed] if may_look else [], user)
    lines = [
        (*names[pk], str(why), shown.moves_in_words(model, why.moves)) for pk, why in outlook.listed if may_look
    ]  # fmt: skip
    return {"may_look": may_look, "lines": lines, "first": [names[pk][0] for pk in outlook.first if may_look]}


def _fields(run: Run, only: int | None) -> list[shown.FieldCount]:
    """How often each field changed; of one record's page, its own."""
    rows = None if only is None else ChangeSet.objects.filter(run=run, record_id=only)
    return shown.by_field(run, of=rows).fields


class WayBack(NamedTuple):
    url: str
    words: str
    is_record: bool = False


def _way_back(request: HttpRequest, run: Run) -> WayBack:
    """To where one came from: the record's page, what the run changed, or the run."""
    only = row_number(request.GET.get("record"))
    if only and request.GET.get(FROM) == CHANGES:
        return WayBack(_of_run(request, run, "changes"), _("Back to what changed"))
    if only and (url := items.named(run, [only], request.user)[only][1]):
        return WayBack(url, _("Back to the record"), is_record=True)
    return WayBack(_of_run(request, run, "change"), _("Back to the run"))


def _of_run(request: HttpRequest, run: Run, page: str) -> str:
    return with_filters(request, reverse(f"admin:runs_run_{page}", args=[run.pk]))


def _page(modeladmin: Any, request: HttpRequest, run: Run, **more: Any) -> TemplateResponse:
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": modeladmin.opts,
        "original": run,
        "title": undo_title(run),
        "is_redo": undoable.purpose(run) == Run.Purpose.REDO,
        "action": request.get_full_path(),
        "back": _way_back(request, run),
        **more,
    }
    return TemplateResponse(request, "runs/undo.html", context)
