"""Records in forms: what staff add, edit and delete is logged, and a changed input asks for processing again."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from ..models import Processable
from . import record_log


class RecordEdits:
    """For every admin: of records, and of rows on whose pages or with which records are edited."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Cells of a list are read, compared and saved in one transaction."""
        if request.method != "POST" or "_save" not in request.POST:
            return super().changelist_view(request, extra_context)  # type: ignore[misc]
        with transaction.atomic():
            return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not isinstance(obj, Processable):
            super().save_model(request, obj, form, change)  # type: ignore[misc]
            record_log.take_back_from(obj, form.changed_data if change else ())
        elif change:
            record_log.save(request.user, obj)
        else:
            record_log.add(request.user, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Iterable[Any], change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        if change and isinstance(form.instance, Processable):
            record_log.related(request.user, form.instance, chosen_in(form))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if issubclass(formset.model, Processable):
            save_rows(request.user, formset)
        else:
            before = linked_by(formset, form.instance) if change else {}
            super().save_formset(request, form, formset, change)  # type: ignore[misc]
            after = linked_by(formset, form.instance) if change else {}
            moved = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
            record_log.related(request.user, form.instance, moved)
            for row, fields in getattr(formset, "changed_objects", ()):
                record_log.take_back_from(row, fields)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Of records the activity log has them, with what they said."""
        if issubclass(self.model, Processable):  # type: ignore[attr-defined]
            return []
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def chosen_in(form: Any) -> dict[str, list[Any]]:
    """What this form changed of the rows that its record names by the many."""
    names = {field.name for field in form.instance._meta.many_to_many} & set(form.changed_data)
    return {name: [words(form.initial.get(name)), words(form.cleaned_data[name])] for name in sorted(names)}


def linked_by(formset: Any, record: Any) -> dict[str, list[str]]:
    """The same, where the rows between them are edited on the record's page."""
    if not isinstance(record, Processable):
        return {}
    fields: Any = record._meta.many_to_many
    between = (field.name for field in fields if field.remote_field.through is formset.model)
    return {name: words(getattr(record, name).all()) for name in between}


def words(related: Any) -> list[str]:
    return sorted(f"{row} ({row.pk})" for row in related or ())


def save_rows(user: object, formset: Any) -> None:
    """Records that are rows on the page of another one."""
    formset.save(commit=False)
    gone = [row.pk for row in formset.deleted_objects]
    record_log.log_deletion(user, formset.model._base_manager.filter(pk__in=gone))
    for row in formset.deleted_objects:
        row.delete()
    for row, _fields in formset.changed_objects:
        record_log.save(user, row)
    for row in formset.new_objects:
        record_log.add(user, row)
    formset.save_m2m()
    deleted = formset.deleted_forms
    for form in formset.initial_forms:
        if form not in deleted and form.has_changed():
            record_log.related(user, form.instance, chosen_in(form))
