"""What people do to records, in the activity log, with what was there before and after; and what it takes back.

The doors of whoever writes a record without a task: the admin's forms, its deletions, an import. Nothing else comes by
here: neither `QuerySet.update` nor `save()` in a program.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Field, Model, QuerySet
from django.db.models.deletion import Collector

from backoffice.results import activity
from backoffice.results.models import Activity

from ..models import Processable, compared
from ..models.alike import alike
from ..registry import RecordTask, record_tasks
from .edits import lock_all

OURS = {"processed", "processed_at"}
AT_ONCE = 500


def takes_back(model: type[Model], fields: Iterable[str]) -> bool:
    """Whether a change of these fields takes `processed` back: a task that sets it reads one of them."""
    changed = set(fields) - OURS
    return any(changed & reads(task) for task in tasks_of(model) if task.processes)


def tasks_of(model: type[Model]) -> Iterator[RecordTask]:
    label = activity.label_of(model)
    return (task for task in record_tasks().values() if task.model_label.lower() == label)


def reads(task: RecordTask) -> set[str]:
    """Field names; of one beyond a relation the relation's."""
    if task.reads is not None:
        return {name.partition("__")[0] for name in task.reads}
    own = task.record_model._meta
    return {field.name for field in own.concrete_fields} - {own.get_field(name).name for name in task.writes}


def take_back_from(row: Model, fields: Iterable[str]) -> None:
    """Of records that lead to this row, where a task that sets `processed` reads one of these fields of it."""
    changed = set(fields)
    for task in record_tasks().values():
        named = (found for found in task.related if isinstance(row, found.field.model) and found.field.name in changed)
        for relation in sorted({found.relation for found in named}) if task.processes else ():
            records = task.record_model._base_manager.filter(**{relation: row})
            lock_all(records)  # what is worked on now is finished first, of the row as it was
            records.update(processed=False)


# --- What is written ------------------------------------------------------------------------------------------------


def save(user: object, record: Any) -> None:
    """Whatever differs from the stored row, which the caller has locked; nothing where nothing does."""
    before = type(record)._base_manager.filter(pk=record.pk).first()
    if before is None:
        add(user, record)
    elif changed := [field.name for field in differing(before, record)]:
        if takes_back(type(record), changed):
            record.processed = False
        record.save()
        take_back_from(record, changed)
        log_edit(user, record, {field.name: pair(field, before, record) for field in differing(before, record)})


def add(user: object, record: Any) -> None:
    record.save()
    addition(user, record).save()


def addition(user: object, record: Any, **more: Any) -> Activity:
    """With what somebody gave it: what a task makes of that stands in change sets."""
    given = (field for field in record._meta.concrete_fields if field.editable and not field.primary_key)
    return activity.entry(
        user, "record.added", record, **more, values={each.name: said(each, record) for each in given}
    )


def related(user: object, record: Any, changes: dict[str, list[Any]]) -> None:
    """Of rows that a record names by the many."""
    if changes and takes_back(type(record), changes):
        record.processed = False
        record.save(update_fields=["processed"])
    if changes:
        log_edit(user, record, changes)


def log_edit(user: object, record: Model, changes: dict[str, list[Any]]) -> None:
    activity.log(user, "record.edited", record, changes=changes)


def differing(before: Model, after: Model) -> "list[Field[Any, Any]]":
    """Fields that somebody changed, or the model's own save(). When it was saved is no news."""
    return [
        field
        for field in before._meta.concrete_fields
        if field.name not in OURS
        and not (field.primary_key or field.generated or getattr(field, "auto_now", False))
        and not alike(field, field.value_from_object(before), field.value_from_object(after))
    ]


def pair(field: "Field[Any, Any]", before: Model, after: Model) -> list[Any]:
    return [said(field, before), said(field, after)]


def said(field: "Field[Any, Any]", record: Model) -> Any:
    """What a record says in a field; of another row its name and number."""
    value = field.value_from_object(record)
    if value is None or not field.is_relation:
        return value
    try:
        return f"{getattr(record, field.name)} ({value})"
    except ObjectDoesNotExist:
        return value


# --- What is deleted ------------------------------------------------------------------------------------------------


def log_deletion(user: object, rows: QuerySet[Any]) -> None:
    """Of the records among these rows, of those that go with them, and of those that lose the row they name.

    Call it before they go, with the rows locked.
    """
    collector = Collector(using=rows.db)
    if collector.can_fast_delete(rows):
        found: list[tuple[Any, Any]] = [(rows.model, rows)]
    else:
        collector.collect(rows)
        found = [*collector.data.items(), *((gone.model, gone) for gone in collector.fast_deletes)]
    for model, gone in found:
        for records in batches(model, gone):
            Activity.objects.bulk_create([deletion(user, record) for record in records])
            compared.forget(model, [record.pk for record in records])
    for (field, value), losing in collector.field_updates.items():
        for each in losing:
            log_loss(user, field, value, each)


def batches(model: type[Model], rows: Any) -> Iterator[QuerySet[Any]]:
    """Of rows that are records, with what they name."""
    if not issubclass(model, Processable):
        return
    keys = sorted(rows.values_list("pk", flat=True) if isinstance(rows, QuerySet) else (row.pk for row in rows))
    related = [field.name for field in model._meta.concrete_fields if field.is_relation]
    for start in range(0, len(keys), AT_ONCE):
        records = model._base_manager.filter(pk__in=keys[start : start + AT_ONCE]).order_by("pk")
        yield records.prefetch_related(*related)


def log_loss(user: object, field: "Field[Any, Any]", value: Any, rows: Any) -> None:
    """An edit, too: the field gets this value (of SET_NULL, None)."""
    for records in batches(field.model, rows):
        lock_all(records)
        lost = [(record, {field.name: [said(field, record), value]}) for record in records]
        entries = [activity.entry(user, "record.edited", record, changes=changes) for record, changes in lost]
        Activity.objects.bulk_create(entries)
        if takes_back(field.model, [field.name]):
            records.update(processed=False)


def deletion(user: object, record: Processable) -> Activity:
    """With what the record said last: nothing else keeps that."""
    fields = [field for field in record._meta.concrete_fields if not field.primary_key]
    values = {field.name: said(field, record) for field in fields}
    return activity.entry(user, "record.deleted", record, values=values)
