"""A record task that sets fields of many records, as staff do it in the form of one."""

from collections.abc import Iterable, Iterator
from typing import Any, Unpack

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..models import Outcome, Processable
from ..pages.record_log import OURS
from ..record_task import Options, record_task
from ..registry import RecordTask
from . import edit
from .form import form_of, input_of


def bulk_edit(
    model: str, *, fields: Iterable[str] | None = None, name: str = "", **options: Unpack[Options]
) -> RecordTask:
    """Register the record task by which staff set fields of selected records of `model` ("app.Model").

    It asks which fields get which values, and writes these alone, where the model's own validators take them; a changed
    input takes `processed` back, as an edit by hand does. `fields` are those to choose from. Default: what the record's
    form in the admin has, but files and unique fields. It is called `edit_` and the model's name in small letters, or
    `name`, and asks for the permission to change the model; `options` are those of `record_task`. Raises TypeError for
    a field that cannot be the same in several records.
    """
    kind: Any = apps.get_model(model)
    offered = list(_offered(kind)) if fields is None else [_possible(kind, each) for each in fields]

    def body(record: Processable, /, **values: Any) -> Outcome:
        return edit.set_fields(record, values)

    body.__name__ = body.__qualname__ = name or f"edit_{kind._meta.model_name}"
    body.__module__ = f"{apps.get_app_config(kind._meta.app_label).name}.tasks"
    usual: dict[str, Any] = {
        "permission": f"{kind._meta.app_label}.{get_permission_codename('change', kind._meta)}",
        "label": _("Change fields"),
    }
    fixed: dict[str, Any] = {
        "writes": (*(field.name for field in offered), "processed", *edit.moments(kind)),
        "reads": tuple(field.name for field in kind._meta.concrete_fields if not field.primary_key),
        "volatile": edit.moments(kind),
        "parameters": form_of(kind, offered, is_default=fields is None),
        "by_hand": True,
    }
    return record_task(model, **{**usual, **options, **fixed})(body)


def _offered(model: type[models.Model]) -> Iterator[Any]:
    known = (field for field in model._meta.concrete_fields if field.editable)
    return (field for field in known if not _why_not(model, field))


def _possible(model: type[models.Model], name: str) -> Any:
    field = model._meta.get_field(name)
    if why := _why_not(model, field):
        raise TypeError(f"bulk_edit() cannot set {name!r} of {model._meta.label}: {why}.")
    return field


def _why_not(model: type[models.Model], field: Any) -> str:
    own: Any = model._meta
    if field not in own.concrete_model._meta.local_concrete_fields or field.generated:
        return "it is no column that is written"
    if field.name in OURS:
        return "it is set by processing"
    if field.unique or any(each.fields == (field.name,) for each in own.total_unique_constraints):
        return "it is unique, so no two records get the same"
    if isinstance(field, models.FileField) or input_of(field) is None:
        return "no form has an input for it that is kept as text"
    return ""
