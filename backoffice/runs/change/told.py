"""A field's value in words, on every page: a choice by its label, yes and no, a moment in the reader's zone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from . import values

Words = Callable[[Any], str]


def told(field: Any, value: Any) -> str:
    """Of what a record holds; "" for nothing."""
    if value and (own := team_words(field)):
        try:
            return str(own(value))
        except Exception:  # of a shape that it had before
            return plain(value)
    labels = dict(getattr(field, "flatchoices", None) or ())
    try:
        return str(labels[value])
    except (KeyError, TypeError):  # no choice, or one that is no key, such as a list
        return plain(value)


def team_words(field: Any) -> Words | None:
    """What the model's admin makes of this field."""
    model: Any = getattr(field, "model", None)
    own: Words | None = getattr(admin.site._registry.get(model), "value_words", {}).get(getattr(field, "name", ""))
    return own


def plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{localtime(value) if is_aware(value) else value:%Y-%m-%d %H:%M:%S %Z}".strip()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(each) or '–'}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ("; " if any(isinstance(each, Mapping) for each in value) else ", ").join(
            plain(each) or "–" for each in value
        )
    return str(value)


def of_change(model: Any, name: str) -> Words:
    """Of what a change set holds. What a field of a team's own hides stays hidden."""
    field = field_of(model, name)

    def words(written: Any) -> str:
        is_odd = isinstance(written, dict) and not {"stored", "bytes"}.isdisjoint(written)
        try:
            return values.words(written) if field is None or is_odd else told(field, values.read(field, written))
        except Exception:  # of a field that is of another kind by now
            return values.words(written)

    return words


def of_log(model: Any, name: str) -> Words:
    """Of what the activity log holds: the JSON of a value, or words already."""
    field = field_of(model, name)

    def words(value: Any) -> str:
        is_moment = isinstance(field, models.DateTimeField) and isinstance(value, str)
        try:
            return told(field, parse_datetime(value) or value if is_moment else value)
        except ValueError:  # looks like a moment, and is none
            return plain(value)

    return words


def field_of(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None
