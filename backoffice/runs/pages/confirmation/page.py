"""When a click is confirmed, and the page on which it is."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.admin.utils import flatten, flatten_fieldsets
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from ...preview.counts import needless, preview
from ...registry import RecordTask
from ...snapshot import first_of
from .answers import Answers
from .click import ticked

NAMED = 3  # records that the page names


@dataclass
class Click:
    """Somebody wants to run a task over records: from their list, or from the page of one."""

    admin: Any
    request: HttpRequest
    records: Any  # a queryset; ids, where nothing is asked before
    task: RecordTask
    title: str  # what the action, or the button, is called
    selection: str = ""  # in words
    hidden: list[tuple[str, str]] = field(default_factory=list)  # inputs that the page sends along
    back: str = ""  # where one came from; the list itself without
    url: str = ""  # where the page sends its answers; to its own address without


def is_needed(click: Click) -> bool:
    """Always for a task that asks something, or writes what people write; else above a bound, and where no record of a
    list's selection needs it."""
    if click.task.parameters is not None or click.task.asked_reason == "required":
        return True
    if edited_by_people(click.admin).intersection(click.task.writes) or _are_many(click):
        return True
    return not click.back and needless(click.records, click.task)


def edited_by_people(modeladmin: Any) -> set[str]:
    """Fields that the record's form has; by both names of a foreign key."""
    fields = [each for each in modeladmin.opts.concrete_fields if each.editable and not each.primary_key]
    shown = flatten_fieldsets(modeladmin.fieldsets or ()) or flatten(modeladmin.fields or ())
    never = {*modeladmin.readonly_fields, *(modeladmin.exclude or ())}
    found = [each for each in fields if each.name not in never and (not shown or each.name in shown)]
    return {name for each in found for name in (each.name, each.attname)}


def _are_many(click: Click) -> bool:
    bound, picked = settings.RUNS_CONFIRM_ABOVE, ticked(click.request)
    if picked is not None:
        return picked > bound
    return click.records.order_by().values("pk")[bound : bound + 1].exists()


def ask(click: Click, answers: Answers) -> TemplateResponse:
    """What will happen to how many records, three of them by name; which are skipped for what reason; the questions."""
    answers.offer(click.records, click.request.GET)
    context = {
        **click.admin.admin_site.each_context(click.request),
        "opts": click.admin.opts,
        "title": click.title.removesuffix("…"),
        "preview": preview(click.records, click.task, by=click.request.user),
        "first": first_names(click.records, click.task),
        "selection": click.selection,
        "answers": answers,
        "can_be_undone": click.task.change_sets,
        "hidden": click.hidden,
        "action": click.url or click.request.get_full_path(),
        "back": click.back or click.request.get_full_path(),
    }
    return TemplateResponse(click.request, "runs/confirm.html", context)


def first_names(records: QuerySet[Any], task: RecordTask) -> list[str]:
    return [str(record) for record in first_of(records, task, NAMED)]
