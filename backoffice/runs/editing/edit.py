"""Setting fields of one record, as a form of the admin would, and saving nothing."""

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.text import capfirst

from ..models import Outcome, Processable
from ..models.alike import alike
from ..pages import record_log


class Refused(ValueError):
    """The model does not take these values in this record. The text has its sentences."""


def set_fields(record: Processable, values: Mapping[str, Any]) -> Outcome:
    """Raises Refused, where something would change."""
    wanted = copy(record)  # a model's clean() may change more than what was chosen
    for name, value in values.items():
        setattr(wanted, name, value)
    own: Any = record._meta
    fields = [own.get_field(name) for name in values]
    changed = [field.name for field in fields if not _is_same(field, record, wanted)]
    if not changed:
        return Outcome("unchanged")
    refuse_unless_valid(wanted, values.keys())
    for field in fields:
        setattr(record, field.attname, getattr(wanted, field.attname))
    for name in moments(type(record)):
        setattr(record, name, own.get_field(name).pre_save(wanted, False))
    if record_log.takes_back(type(record), changed):
        record.processed = False
    return Outcome("changed", ", ".join(changed))


def moments(model: type[models.Model]) -> tuple[str, ...]:
    """Fields that say when a record was saved last."""
    return tuple(field.name for field in model._meta.concrete_fields if getattr(field, "auto_now", False))


def _is_same(field: Any, one: Processable, other: Processable) -> bool:
    return alike(field, field.value_from_object(one), field.value_from_object(other))


def refuse_unless_valid(record: Processable, chosen: Collection[str]) -> None:
    """All that Django asks of a whole record before it is saved, of these fields and of what they touch."""
    every = {field.name for field in record._meta.fields}
    related = {field.name for field in record._meta.fields if field.is_relation}  # the form has found their rows
    asked = [
        lambda: record.clean_fields(exclude=every.difference(chosen) | related),
        record.clean,
        lambda: record.validate_unique(exclude=every - _unique_with(record, chosen)),
        record.validate_constraints,
    ]
    errors: dict[str, Any] = {}
    for each in asked:
        try:
            each()
        except ValidationError as error:
            errors = error.update_error_dict(errors)
    if errors:
        raise Refused(" ".join(_in_words(record, errors)))


def _unique_with(record: Processable, chosen: Collection[str]) -> set[str]:
    """The fields that are unique together with one of these."""
    own: Any = record._meta
    together = [set(names) for names in own.unique_together]
    for field in own.fields:
        dates = (field.unique_for_date, field.unique_for_month, field.unique_for_year)
        together += [{field.name, date} for date in dates if date]
    return set().union(*(names for names in together if names.intersection(chosen)))


def _in_words(record: Processable, errors: Mapping[str, Any]) -> list[str]:
    own: Any = record._meta
    told = []
    for name, found in errors.items():
        sentences = " ".join(message for error in found for message in error.messages)
        label = "" if name == NON_FIELD_ERRORS else capfirst(own.get_field(name).verbose_name)
        told.append(f"{label}: {sentences}" if label else sentences)
    return told
