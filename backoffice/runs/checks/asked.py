"""Of what a record task asks for at each run: its parameters."""

import inspect
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ..parameters import RECORD_ID
from ..registry import REQUESTED, RecordTask, record_tasks


@register("runs")
def parameter_forms(**_kwargs: Any) -> list[CheckMessage]:
    """A form of parameters is one, has no files, and its fields are what the function takes."""
    asking = ((name, task) for name, task in sorted(record_tasks().items()) if task.parameters is not None)
    return [message for name, task in asking for message in _of_form(name, task)]


@register("runs")
def reasons(**_kwargs: Any) -> list[CheckMessage]:
    """Whether somebody is asked why."""
    known, hint = ("", "required", "optional"), 'Give "required" or "optional", or leave it out.'
    asked = [(f"{name} has the reason", task.reason) for name, task in sorted(record_tasks().items())]
    asked.append(("The setting RUNS_REASON is", settings.RUNS_REASON))
    return [Error(f"{what} {value!r}.", hint=hint, id="runs.E021") for what, value in asked if value not in known]


def _of_form(name: str, task: RecordTask) -> Iterator[CheckMessage]:
    form: Any = task.parameters
    if not (isinstance(form, type) and issubclass(form, forms.Form)):
        told = f"{name} has the parameters {form!r}, which is no form."
        yield Error(told, hint="Give a class that inherits django.forms.Form.", id="runs.E018")
        return
    fields: dict[str, forms.Field] = form.base_fields
    for field in (field for field, kind in fields.items() if isinstance(kind, forms.FileField)):
        told = f"{name} asks for a file by {form.__qualname__}.{field}."
        yield Error(told, hint="Parameters are kept with the run as text: import the file first.", id="runs.E019")
    if reason := _misfit(task, fields):
        told = f"{name} is not called with what {form.__qualname__} asks for: {reason}."
        hint = "Its function takes the record, and each field of the form as a keyword."
        yield Error(told, hint=hint, id="runs.E020")


def _misfit(task: RecordTask, fields: dict[str, forms.Field]) -> str:
    """Why the function cannot be called with the record and these keywords; "" if it can."""
    for name in (RECORD_ID, "self"):
        if name in fields:
            return f"{name!r} is what the task itself takes"
    told = [REQUESTED] if task.is_told_who_asked else []
    try:
        inspect.signature(task.body).bind(object(), **dict.fromkeys([*fields, *told]))
    except TypeError as error:
        return str(error)
    return ""
