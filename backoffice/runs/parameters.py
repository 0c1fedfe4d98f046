"""The values of a record task's form: kept with the run as they were submitted, cleaned anew at each use."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from celery.exceptions import SoftTimeLimitExceeded
from django import forms
from django.db.models import Model, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from backoffice.results import outage
from backoffice.results.values.redaction import MASK, sensitive
from backoffice.results.values.text import said, storable

logger = logging.getLogger(__name__)

RECORD_ID = "instance_id"  # what a record task is called with beside its parameters
PREFIX = "set"  # of its fields on a page, which has others of its own
LONGEST = 100_000  # characters of all of them together

Submitted = dict[str, Any]  # a text, or several; the names are those of the form's inputs


class BadParameters(ValueError):
    """The form refuses them. Its text names the fields; `errors` has the messages by field, as a form's."""

    def __init__(self, sentence: str, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.errors = errors or {}


class Asks(Protocol):
    """A record task, or what is like one."""

    name: str
    parameters: Any


def clean(task: Asks, submitted: Mapping[str, Any]) -> dict[str, Any]:
    """What the task's function is called with. Raises BadParameters, in the form's words."""
    return {} if task.parameters is None else dict(valid(task, submitted).cleaned_data)


def valid(task: Asks, submitted: Mapping[str, Any]) -> forms.Form:
    """The task's form, filled. Raises BadParameters, in the form's words."""
    form = _filled(task, submitted)
    if not is_good(task, form):
        raise BadParameters(_in_words(form), form.errors)
    return form


def refusal(task: Asks, submitted: Mapping[str, Any]) -> str:
    """Why the form does not take them; "" if it does."""
    try:
        clean(task, submitted)
    except BadParameters as error:
        return str(error)
    return ""


def checked(task: Asks, values: Mapping[str, Any]) -> Submitted:
    """As they are kept: values of any kind, or what was submitted. Raises BadParameters for what the form refuses."""
    submitted = dict(_submitted(task, values))
    if len(repr(submitted)) > LONGEST:
        raise BadParameters(_("These parameters are longer than %(n)s characters.") % {"n": f"{LONGEST:,}"})
    clean(task, submitted)
    return submitted


def of_page(data: Any) -> Submitted:
    """What a page's form sent, of a QueryDict."""
    own = f"{PREFIX}-"
    sent = {name.removeprefix(own): values for name, values in data.lists() if name.startswith(own)}
    return {name: values[0] if len(values) == 1 else values for name, values in sent.items()}


def for_page(task: Asks, values: Mapping[str, Any]) -> MultiValueDict[str, Any]:
    """As a page's form would send them again: of any kind, without what is no input of the form."""
    form = made(task)
    sent: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None and _is_input(form.fields, name):
            with suppress(BadParameters):  # what nobody can store: SQL alone writes it
                sent |= _inputs(form, name, value)
    return MultiValueDict({f"{PREFIX}-{name}": _several(value) for name, value in sent.items()})


def words(task: Asks, submitted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each with its label, for people. What the form does not take, or know, any more stands as it was submitted."""
    hidden = sensitive(task.name)
    if task.parameters is None:
        return raw_words(submitted)
    try:
        form = _filled(task, submitted)
        is_good(task, form)
    except BadParameters:
        return raw_words(shown(task.name, submitted))
    cleaned = getattr(form, "cleaned_data", {})
    known = [
        (str(form[name].label), MASK if name in hidden else _said(form, name, cleaned.get(name)))
        for name in form.fields
    ]  # fmt: skip
    return known + raw_words({name: value for name, value in submitted.items() if not _is_input(form.fields, name)})


def raw_words(submitted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a task that is not there."""
    return [(name, ", ".join(map(str, _several(value)))) for name, value in submitted.items()]


def shown(task_name: str, submitted: Mapping[str, Any]) -> Submitted:
    """As they may be shown: a sensitive one is masked."""
    hidden = sensitive(task_name)
    return {name: MASK if _is_input(hidden, name) else value for name, value in submitted.items()}


def made(task: Asks, data: Any = None, prefix: str | None = PREFIX) -> forms.Form:
    """The task's form, for a page. Raises BadParameters where the form itself fails."""
    with _told(task):
        form: forms.Form = task.parameters(data, prefix=prefix)
        return form


def is_good(task: Asks, form: forms.Form) -> bool:
    """Whether it takes what it was filled with. Raises BadParameters where the form itself fails."""
    with _told(task):
        return form.is_valid()


@contextmanager
def _told(task: Asks) -> Iterator[None]:
    """A mistake of the form's own is the same for each record, each time: it is told as a refusal is."""
    try:
        yield
    except Exception as exc:
        if isinstance(exc, SoftTimeLimitExceeded) or outage.is_outage(exc):
            raise
        logger.exception("The form of %s failed.", task.name)
        what = {"form": task.parameters.__name__, "error": f"{type(exc).__name__}: {said(exc)}"[:300]}
        told = _("The form %(form)s fails itself, and its developers can mend it: %(error)s") % what
        raise BadParameters(storable(told)) from exc


def _filled(task: Asks, submitted: Mapping[str, Any]) -> forms.Form:
    return made(task, MultiValueDict({name: _several(value) for name, value in submitted.items()}), prefix=None)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_words(form: forms.Form) -> str:
    """What each field is told, behind its label."""
    told = [
        f"{form[name].label}: {sentences}" if name in form.fields else sentences
        for name, messages in form.errors.items()
        if (sentences := " ".join(map(str, messages)))
    ]
    return " ".join(told)


def _is_input(fields: Iterable[str], name: str) -> bool:
    """Whether a field has an input of that name: some have several, percent_0 and percent_1."""
    return any(name == field or name.startswith(f"{field}_") for field in fields)


def _submitted(task: Asks, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    form = made(task) if task.parameters is not None else forms.Form()
    if unknown := [str(name) for name in values if not _is_input(form.fields, str(name))]:
        told = {"task": task.name, "names": ", ".join(unknown), "known": ", ".join(form.fields) or _("none")}
        raise BadParameters(_("%(task)s has no parameter %(names)s. Its parameters: %(known)s.") % told)
    for name, value in values.items():
        if value is not None:
            yield from _inputs(form, name, value)


def _inputs(form: forms.Form, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    field = form.fields.get(name)
    widget = getattr(field, "widget", None)
    if field is None or isinstance(value, str) or not isinstance(widget, forms.MultiWidget):
        yield name, _text(field, name, value)
        return
    parts = value if isinstance(value, list | tuple) else widget.decompress(value)
    for suffix, part in zip(widget.widgets_names, parts or (), strict=False):  # type: ignore[attr-defined]
        if part is not None:
            yield f"{name}{suffix}", _text(None, name, part)


def _text(field: forms.Field | None, name: str, value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset | QuerySet) and not isinstance(field, forms.JSONField):
        return [_text(field, name, each) for each in value]
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, datetime):
        return value.isoformat(" ")  # with its zone: a form's text would be of the one that is current
    text = value if isinstance(value, str) else str(_prepared(field, value))
    if storable(text) != text:
        raise BadParameters(_("%(name)s: this text has characters that cannot be stored.") % {"name": name})
    return text


def _prepared(field: forms.Field | None, value: Any) -> Any:
    if isinstance(value, Model):
        to = getattr(field, "to_field_name", None)
        return value.serializable_value(to) if to else value.pk
    return field.prepare_value(value) if field else value


def _said(form: forms.Form, name: str, value: Any) -> str:
    """A cleaned value, a choice by its label; without one what was submitted."""
    if value is None or value == "" or value == []:
        return ", ".join(str(each) for each in _several(form[name].data) if each not in (None, "")) or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices = getattr(form.fields[name], "choices", ())
    labels = {} if isinstance(choices, forms.models.ModelChoiceIterator) else _labels(choices)
    several = list(value) if isinstance(value, list | tuple | set | QuerySet) else [value]
    return ", ".join(labels.get(str(each)) or said(each) for each in several)


def _labels(choices: Iterable[Any]) -> dict[str, str]:
    """By value, those in groups too."""
    flat: dict[str, str] = {}
    for value, label in choices:
        flat |= _labels(label) if isinstance(label, list | tuple) else {str(value): str(label)}
    return flat
