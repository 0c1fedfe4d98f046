"""What a record task read of a record, and whether the record is still so."""

import marshal
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ..models import Processable
from ..models.alike import alike
from ..registry import RecordTask

Values = tuple[Any, ...]  # a record's id and inputs
MUTABLE = {list, dict}


class Edited(Exception):
    """A record was changed each time it was processed: by somebody, or its values never equal themselves."""


def of(task: RecordTask, record: Processable) -> Values:
    """What the task read, the id first. Lists and mappings are copied: the task may change them in place."""
    values: Values = task.read(record)
    if not task.changes_in_place or MUTABLE.isdisjoint(map(type, values)):
        return values
    return tuple(_copy(value) if type(value) in MUTABLE else value for value in values)


def _copy(value: Any) -> Any:
    """Of plain JSON in a third of the time that deepcopy takes."""
    try:
        return marshal.loads(marshal.dumps(value))  # noqa: S302 - our own, of this moment
    except ValueError:  # there is another kind of value in it
        return deepcopy(value)


def changed(
    task: RecordTask, read: Mapping[int, Values | None], asked: Sequence[int]
) -> tuple[set[int], dict[int, Values]]:
    """Those of the `asked` that are not as they were read (None: not there). Call in a transaction: it locks them.

    And by id what is there, as `task.held` names it, for its change sets.
    Other rows that they lead to are not locked, or all records of one carrier would wait for each other: who edits one
    later than this comes after the record's outcome.
    """
    every = task.record_model._base_manager.filter(pk__in=asked)
    held = every.order_by("pk").select_for_update()
    before = {row[0]: row for row in held.values_list(*task.held)}
    width = len(task.inputs) + 1
    now = before if len(task.held) == width else {pk: row[:width] for pk, row in before.items()}
    if task.related:  # a statement of its own: it sees what was committed while this one waited for a lock
        others = every.values_list("pk", *(found.name for found in task.related))
        now = {pk: (*now[pk], *values) for pk, *values in others if pk in now}
    try:
        other = [pk for pk in asked if now.get(pk) != read[pk]]
    except Exception:  # values that have no truth of their own, such as arrays
        other = list(asked)
    if other:
        return set(other).difference(_same_after_all(task, read, [pk for pk in other if pk in now])), before
    return set(), before


def _same_after_all(task: RecordTask, read: Mapping[int, Values | None], ids: Iterable[int]) -> list[int]:
    """A record may give other values than its row does, or values that equal nothing: read and compared as stored."""
    records = task.records.in_bulk([pk for pk in ids if read[pk] is not None])
    return [pk for pk, record in records.items() if _are_alike(task, of(task, record), read[pk] or ())]


def _are_alike(task: RecordTask, one: Values, other: Values) -> bool:
    own = task.record_model._meta
    fields = [*(own.get_field(name) for name in task.inputs), *(found.field for found in task.related)]
    pairs = zip(fields, one[1:], other[1:], strict=True)
    return all(alike(field, a, b) for field, a, b in pairs)
