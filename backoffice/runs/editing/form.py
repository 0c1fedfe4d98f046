"""The form that asks which fields are set, and to what."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db import models
from django.forms.models import apply_limit_choices_to_to_formfield
from django.utils.translation import gettext_lazy as _

from ..forms.partial import Partial
from ..pages import record_log
from ..pages.confirmation.page import edited_by_people
from . import edit

NOTHING = ("", "---------")


class EditForm(Partial):
    """Of a model's fields those that are chosen."""

    model: type[models.Model]
    model_fields: dict[str, Any]
    is_default: bool  # nobody said which fields: those of the record's form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = admin.site._registry.get(self.model) if self.is_default else None
        if shown is not None:
            edited = edited_by_people(shown)
            self.fields = {name: field for name, field in self.fields.items() if name in edited}
        for field in self.fields.values():
            apply_limit_choices_to_to_formfield(field)

    def writes(self) -> list[str]:
        chosen = list(self.cleaned_data)
        taken_back = ["processed"] if record_log.takes_back(self.model, chosen) else []
        return [*chosen, *taken_back, *edit.moments(self.model)]


class YesOrNo(forms.NullBooleanField):
    """A box that nobody ticked would be sent as nothing, which is no answer."""

    widget = forms.Select(choices=[NOTHING, ("true", _("yes")), ("false", _("no"))])

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.lower() if isinstance(value, str) else value)

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)


def form_of(model: type[models.Model], fields: Iterable[Any], *, is_default: bool) -> type[EditForm]:
    sources = {field.name: field for field in fields}
    inputs = {name: input_of(field) for name, field in sources.items()}
    made: Any = type(f"{model.__name__}EditForm", (EditForm,), inputs)
    made.model, made.model_fields, made.is_default = model, sources, is_default
    return cast("type[EditForm]", made)


def input_of(field: Any) -> Any:
    """As Django's forms have it, begun with nothing; the browser's own inputs for dates and times."""
    if isinstance(field, models.BooleanField) and not field.choices:
        return field.formfield(form_class=YesOrNo, required=not field.null, initial=None)
    made = field.formfield()
    if made is not None:
        made.initial = None
        made.widget = _widget(made) or made.widget
    if isinstance(made, forms.TypedChoiceField):
        choices: Any = made.choices
        made.choices = lambda: [NOTHING, *(each for each in choices if each[0] not in ("", None))]
    return made


def _widget(field: forms.Field) -> forms.Widget | None:
    if isinstance(field, forms.DateTimeField):
        return forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
    if isinstance(field, forms.DateField):
        return forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.TimeInput({"type": "time", "step": 1}) if isinstance(field, forms.TimeField) else None
