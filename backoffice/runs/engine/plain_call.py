"""A record task called the plain Celery way: one record, no run, no item, the same guards."""

from collections.abc import Mapping
from typing import Any, Literal

from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from backoffice.results import bulk

from .. import parameters
from ..change import keep
from ..database.again import again
from ..models import Outcome, compared
from ..registry import RecordTask
from . import inputs
from .chunks import PASSES

Answer = str | dict[str, str]


def process_one(task: RecordTask, instance_id: Any, given: Mapping[str, Any]) -> Answer:
    """Returns the task's answer, or that the record is not there. Raises what the record's own work raises, and
    BadParameters."""
    task.refuse_records([instance_id])
    try:
        asked, cleaned = task.as_asked(parameters.checked(task, given))
        return _process(asked, {**cleaned, **asked.told(None)}, instance_id)
    except Exception as exc:
        if not task.passes(exc):
            raise
        wait = task.backoff(task.request.retries)
        raise task.retry(exc=exc, countdown=wait, max_retries=task.most_retries) from exc


def _process(task: RecordTask, cleaned: Mapping[str, Any], instance_id: Any) -> Answer:
    record_id = as_id(instance_id)
    attempt = _attempt_whole if task.writes_elsewhere else _attempt
    for _ in range(PASSES):
        outcome = None if record_id is None else attempt(task, record_id, cleaned)
        if outcome is not False:
            return task.answer(instance_id if outcome is None else record_id, outcome)
    edited = inputs.Edited(f"Record {record_id} was changed each time it was processed.")
    raise task.retry(countdown=1, exc=edited, max_retries=task.most_retries)


@again()
def _attempt_whole(task: RecordTask, record_id: int, cleaned: Mapping[str, Any]) -> Outcome | Literal[False] | None:
    """With what the body writes elsewhere, in one transaction."""
    with transaction.atomic():
        outcome = _attempt(task, record_id, cleaned)
        if not outcome:
            transaction.set_rollback(True)
    return outcome


def _attempt(task: RecordTask, record_id: int, cleaned: Mapping[str, Any]) -> Outcome | Literal[False] | None:
    """What came of it and was written; False if it was changed meanwhile, None when it is not there."""
    record = next(iter(task.records.filter(pk=record_id)), None)
    if record is None:
        return None
    read = inputs.of(task, record)
    try:
        outcome = task.guarded(cleaned)(record) or Outcome("done")
    except SoftTimeLimitExceeded:
        raise
    except Exception as exc:
        if connection.needs_rollback or task.passes(exc) or _is_as_read(task, read):
            raise
        return False
    return outcome if _save(task, record, read) else False


def _is_as_read(task: RecordTask, read: inputs.Values) -> bool:
    with transaction.atomic():
        return not inputs.changed(task, {read[0]: read}, [read[0]])[0]


@again()
def _save(task: RecordTask, record: Any, read: tuple[Any, ...]) -> bool:
    """Write the task's fields, unless somebody changed the inputs meanwhile. A deleted record is read anew, too."""
    model, values = task.record_model, task.written(record)
    pk = model._meta.pk.name
    found_by = (pk, *task.inputs)
    at_once = not (task.related or task.overwritten or compared.is_touched(model, task.writes))
    if at_once and bulk.is_comparable(model, found_by, read):
        return bool(bulk.update(model, task.writes, found_by, [(*values[:-1], *read)]))
    with transaction.atomic():
        changed, before = inputs.changed(task, {record.pk: read}, [record.pk])
        if changed:
            return False
        keep.save(task, [values], before)
    return True


def as_id(value: Any) -> int | None:
    """A primary key, or None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**63 else None
