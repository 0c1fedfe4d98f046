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

from .forms.partial import Partial

logger = logging.getLogger(__name__)

RECORD_ID = "instance_id"  # what a record task is called with beside its parameters
PREFIX = "set"  # of its fields on a page, which has others of its own
TICKS = "given"  # the page's inputs that say which of them count
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


def of_page(task: Asks, data: Any) -> Submitted:
    """What a page's form sent, of a QueryDict. A browser sends nothing for what nobody ticked: that is said."""
    own = f"{PREFIX}-"
    sent = {name.removeprefix(own): values for name, values in data.lists() if name.startswith(own)}
    given = {name: values[0] if len(values) == 1 else values for name, values in sent.items()}
    form = made(task)
    unsaid = [name for name, _initial in _left_out(form, given)]
    if isinstance(form, Partial):
        unsaid = [name for name in _texts(data, TICKS) if name in form.fields]
        given = {name: value for name, value in given.items() if any(_is_input(form, name, of=each) for each in unsaid)}
    return {name: _blank(form.fields[name]) for name in unsaid} | given


def asked(form: forms.Form) -> list[str]:
    """The fields that count."""
    return form.given if isinstance(form, Partial) else list(form.fields)


def for_page(task: Asks, values: Mapping[str, Any]) -> MultiValueDict[str, Any]:
    """As a page's form would send them again: of any kind, without what is no input of the form."""
    form = made(task)
    sent: dict[str, Any] = {}
    for name, value in {**_begun(form, values), **values}.items():
        if value is not None and _is_input(form, name):
            with suppress(BadParameters):  # what nobody can store: SQL alone writes it
                sent |= _inputs(form, name, value)
    data = MultiValueDict({f"{PREFIX}-{name}": _several(value) for name, value in sent.items()})
    if isinstance(form, Partial):
        data.setlist(TICKS, [name for name in form.fields if any(_is_input(form, each, of=name) for each in sent)])
    return data


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
    nothing = _("empty") if isinstance(form, Partial) else "–"  # of a field that was chosen
    known = [
        (str(form[name].label), MASK if name in hidden else _said(form, name, cleaned.get(name)) or nothing)
        for name in asked(form)
    ]  # fmt: skip
    return known + raw_words({name: value for name, value in submitted.items() if not _is_input(form, name)})


def raw_words(submitted: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of a task that is not there."""
    return [(name, ", ".join(map(str, _several(value)))) for name, value in submitted.items()]


def shown(task_name: str, submitted: Mapping[str, Any]) -> Submitted:
    """As they may be shown: a sensitive one is masked."""
    hidden = sensitive(task_name)
    return {
        name: MASK if any(name == field or name.startswith(f"{field}_") for field in hidden) else value
        for name, value in submitted.items()
    }


def made(task: Asks, data: Any = None, prefix: str | None = PREFIX) -> forms.Form:
    """The task's form, for a page. Raises BadParameters where the form itself fails."""
    with _told(task):
        form: forms.Form = task.parameters(data, prefix=prefix)
        if isinstance(form, Partial) and prefix:
            form.ticked = _texts(data or {}, TICKS)
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
    every = {**_begun(made(task), submitted), **submitted}
    return made(task, MultiValueDict({name: _several(value) for name, value in every.items()}), prefix=None)


def _begun(form: forms.Form, given: Mapping[str, Any]) -> Submitted:
    """What fields begin with that are not among the given: whoever calls a task and leaves one out means that."""
    return {name: text for field, value in _left_out(form, given) for name, text in _inputs(form, field, value)}


def _left_out(form: forms.Form, given: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for name, field in () if isinstance(form, Partial) else form.fields.items():
        value = form.get_initial_for_field(field, name)
        if value is not None and not any(_is_input(form, str(each), of=name) for each in given):
            yield name, value


def _texts(data: Any, name: str) -> list[str]:
    """Of a page's form, or of any mapping: code may give one."""
    return list(data.getlist(name)) if isinstance(data, MultiValueDict) else _several(data.get(name, []))


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


def _is_input(form: forms.Form, name: str, *, of: str = "") -> bool:
    """Whether a field, or that `of` this name, has an input of that name: some have several, when_0 and when_1."""
    several = [field for field, kind in form.fields.items() if isinstance(kind.widget, forms.MultiWidget)]
    found = [name, *(field for field in several if name.startswith(f"{field}_"))]
    return of in found if of else any(field in form.fields for field in found)


def _submitted(task: Asks, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    form = made(task) if task.parameters is not None else forms.Form()
    if unknown := [str(name) for name in values if not _is_input(form, str(name))]:
        told = {"task": task.name, "names": ", ".join(unknown), "known": ", ".join(form.fields) or _("none")}
        raise BadParameters(_("%(task)s has no parameter %(names)s. Its parameters: %(known)s.") % told)
    begun = dict(_left_out(form, ()))
    for name, value in {**_begun(form, values), **values}.items():
        if value is not None:
            yield from _inputs(form, name, value)
        elif name in begun or isinstance(form, Partial):  # None is no value, and no other one stands in for it
            yield name, _blank(form.fields[name])


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


def _blank(field: forms.Field) -> Any:
    return [] if isinstance(field.widget, forms.SelectMultiple) else ""


def _prepared(field: forms.Field | None, value: Any) -> Any:
    if isinstance(value, Model):
        to = getattr(field, "to_field_name", None)
        return value.serializable_value(to) if to else value.pk
    return field.prepare_value(value) if field else value


def _said(form: forms.Form, name: str, value: Any) -> str:
    """A cleaned value, a choice by its label; without one what was submitted."""
    if value is None or value == "" or value == []:
        return ", ".join(str(each) for each in _several(form[name].data) if each not in (None, ""))
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
