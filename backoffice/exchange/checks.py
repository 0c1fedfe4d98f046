"""System checks: an import that is neither guarded nor told, and a resource that cannot be used."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from import_export.admin import ExportMixin, ImportMixin
from import_export.resources import ModelResource

from backoffice.runs.registry import find
from backoffice.runs.seam import ProcessableAdmin

from .admin import ExchangeAdmin
from .columns.layout import Layout
from .columns.resource import ExchangeResource

VERBS = ("import", "export")
# By what a resource would change an import of the library's.
IDLE = (
    "before_import", "after_import", "before_import_row", "after_import_row", "before_export", "after_export",
    "import_data", "import_row", "import_field", "import_instance", "get_instance", "init_instance", "get_queryset",
    "validate_instance", "skip_row", "for_delete", "delete_instance", "before_save_instance", "after_save_instance",
    "save_instance", "do_instance_save", "save_m2m", "filter_export",
)  # fmt: skip


@register("exchange")
def admins_that_exchange(**_kwargs: Any) -> list[CheckMessage]:
    return [
        message
        for model, model_admin in admin.site._registry.items()
        for message in (unusable(model_admin) if isinstance(model_admin, ExchangeAdmin) else untold(model, model_admin))
    ]


def untold(model: Any, model_admin: Any) -> Iterator[CheckMessage]:
    if isinstance(model_admin, ImportMixin | ExportMixin):
        codes = " and ".join(
            f"{model._meta.app_label}.{verb}_{model._meta.model_name}" for verb in ("import", "export")
        )
        yield Warning(
            f"{named(model_admin)} imports or exports by django-import-export's own admin.",
            hint="What it does is in no timeline and not in the activity log, its files have no bounds, and it asks "
            f"for nothing but {codes}. Put ExchangeAdmin (backoffice.exchange.seam) in its place.",
            obj=model,
            id="exchange.W001",
        )


def unusable(model_admin: Any) -> Iterator[CheckMessage]:
    if told := fault(model_admin.model, model_admin.resource_classes):
        hint = "docs/your-own-model.md shows one."
        yield Error(f"The resource of {named(model_admin)} cannot be used: {told}", hint=hint, id="exchange.E001")
        return
    yield from untried(model_admin)
    [resource] = model_admin.resource_classes
    if idle := [name for name in IDLE if getattr(resource, name) is not getattr(ModelResource, name)]:
        told = f"{resource.__qualname__} has {', '.join(idle)}, which nobody calls."
        hint = "A rule about a cell is the field's or its widget's, one about a row the model's clean()."
        yield Warning(told, hint=hint, id="exchange.W002")


def untried(model_admin: Any) -> Iterator[CheckMessage]:
    """A check that the preview cannot try on records that nobody saves."""
    name, told = model_admin.check_task, ""
    if not name:
        return
    try:
        task = find(name)
    except LookupError as error:
        told = str(error)
    else:
        if task.record_model is not model_admin.model:
            told = f"{task.name} works on {task.record_model._meta.label}."
        elif not isinstance(model_admin, ProcessableAdmin):
            told = "the admin lacks ProcessableAdmin."
        elif task.parameters is not None or task.writes_elsewhere:
            told = f"{task.name} {'asks for parameters' if task.parameters is not None else 'writes other rows'}."
    if told:
        hint = "Name a record task of this model that asks for nothing and changes its record alone."
        yield Error(f"The check_task of {named(model_admin)} cannot be tried: {told}", hint=hint, id="exchange.E002")


def fault(model: Any, resources: Any) -> str:
    if len(resources or ()) != 1 or not issubclass(resources[0], ExchangeResource):
        return "resource_classes needs one ExchangeResource (backoffice.exchange.seam)."
    if resources[0]._meta.model is not model:
        return f"its model is not {model._meta.label}."
    known: dict[str, Any] = resources[0].fields
    if missing := [name for name in resources[0]._meta.fields or () if name not in known]:
        return f"Meta.fields names {', '.join(map(repr, missing))}, which {model._meta.label} has not."
    try:
        Layout(resources[0])
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def named(model_admin: Any) -> str:
    return f"{type(model_admin).__module__}.{type(model_admin).__qualname__}"
