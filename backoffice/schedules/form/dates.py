"""Dates that move, to be chosen by clicking: which dates a record has, and what may be said of them."""

from typing import Any

from django.contrib import admin
from django.db.models import DateField
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.runs.registry import record_tasks

from ..rules import selection
from ..rules.chosen import SPANS
from ..rules.lookups import shown_to
from .form_values import RECORDS, work_choices


def date_choices(user: Any) -> list[dict[str, str]]:
    """For each record task that this person may start, the dates of its records that they are shown."""
    offered = {value for _title, choices in work_choices(user) for value, _label in choices}
    tasks = {f"{RECORDS}{name}": task.record_model for name, task in record_tasks().items()}
    return [
        {"work": work, "name": field.name, "label": capfirst(str(field.verbose_name))}
        for work, model in tasks.items()
        if work in offered and selection.may_look(model, user)
        for field in dates_of(model, user)
    ]


def dates_of(model: Any, user: Any) -> list[Any]:
    model_admin = admin.site._registry.get(model)
    if model_admin is None:
        return []
    shown = shown_to(model_admin, selection.request_of(user))
    dates = (field for field in model._meta.concrete_fields if isinstance(field, DateField))
    return [field for field in dates if shown is None or field.name in shown]


def span_choices() -> list[dict[str, str]]:
    """From, and before: what a click writes."""
    before = {"since": "", "until": "today", "label": _("before today")}
    after = {"since": "today 1", "until": "", "label": _("after today")}
    spans = [{"since": since, "until": until, "label": str(label)} for (since, until), label in SPANS.items()]
    return [before, *spans, after]
