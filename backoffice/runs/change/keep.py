"""Saving what tasks made of records, and the change sets of what that really changed."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import JSONField
from django.utils import timezone

from backoffice.results import bulk
from backoffice.results.values.text import key

from ..models import ChangeSet, LeftAlone, Run, compared
from ..registry import RecordTask
from . import values
from .standing import Standing

Names = tuple[str, ...]
Before = Mapping[int, Sequence[Any]]  # by record id, what was there, as `task.held` names it

FIELDS = ("run", "record_type", "task", "task_id", "at", "others", "record_id", "fields", "before", "after")
TASK, TASK_ID = 200, 255  # characters


def save(task: RecordTask, rows: Sequence[Sequence[Any]], before: Before, run: Run | None = None) -> None:
    """Write records, given as `task.written` gives them, and what that changed; without a run it was a plain call.

    Call it in the transaction in which `before` was read and the records are locked.
    """
    bulk.update(task.record_model, task.writes, (task.record_model._meta.pk.name,), rows)
    if compared.is_touched(task.record_model, task.writes):
        compared.keep(task.record_model, [row[-1] for row in rows])
    if rows and task.overwritten:
        of = _of_plain_call(task) if run is None else (run.pk, None, "", "")
        at, set_back = timezone.now(), dict[int, Names]()
        found = list(changed(task, rows, before, set_back))
        others = Standing(task.record_model).of_rows(set_back, task.held, before) if set_back else {}
        bulk.insert(ChangeSet, FIELDS, [(*of, at, others.get(each[0], ""), *each) for each in found])


def _of_plain_call(task: RecordTask) -> tuple[Any, ...]:
    kind = ContentType.objects.get_for_model(task.record_model)
    return None, kind.pk, key(task.name, TASK), key(str(task.request.id or ""), TASK_ID)


def changed(
    task: RecordTask, rows: Sequence[Sequence[Any]], before: Before, set_back: dict[int, Names]
) -> Iterator[tuple[int, str, str, str]]:
    """The id, names, and values before and after of each record that is not as it was; a column at a time. Those that
    are no longer processed are put into `set_back`, with the names."""
    *columns, ids = zip(*rows, strict=True)
    held = list(zip(*[before[record_id] for record_id in ids], strict=True))
    found: list[list[tuple[str, str, str]]] = [[] for _id in ids]
    counts, no_longer = set[int](), set[int]()  # where more than volatile fields changed; where `processed` did
    for field, new in zip(task.overwritten, _as_stored(task, ids, columns), strict=True):
        name, places = field.name, []
        for at, one, other in differing(field, held[task.held.index(field.attname)], new):
            found[at].append((name, one, other))
            places.append(at)
        if name not in task.volatile_fields:
            counts.update(places)
        if name == "processed":
            no_longer.update(at for at in places if not new[at])
    for at in sorted(counts):
        names, old, now = zip(*found[at], strict=True)
        if at in no_longer:
            set_back[ids[at]] = names
        yield ids[at], f" {' '.join(names)} ", f"[{','.join(old)}]", f"[{','.join(now)}]"


def _as_stored(task: RecordTask, ids: Sequence[int], columns: Sequence[values.Column]) -> list[values.Column]:
    """The new values as the database has them: those that it may have changed are read, in one statement."""
    pairs = zip(task.overwritten, columns, strict=True)
    told: list[Any] = [values.stored(field, _without_enums(column)) for field, column in pairs]
    unsure = [at for at, column in enumerate(told) if column is None]
    if unsure:
        names = [task.overwritten[at].attname for at in unsure]
        rows = task.record_model._base_manager.filter(pk__in=ids).values_list("pk", *names)
        read = {pk: others for pk, *others in rows}
        for at, column in zip(unsure, zip(*[read[pk] for pk in ids], strict=True), strict=True):
            told[at] = column
    return told


def _without_enums(column: values.Column) -> values.Column:
    if any(issubclass(kind, Enum) for kind in set(map(type, column))):
        return [value.value if isinstance(value, Enum) else value for value in column]
    return column


def differing(field: Any, old: values.Column, new: values.Column) -> Iterator[tuple[int, str, str]]:
    """Where two columns are not the same, and the values there as text."""
    places = _unequal(field, old, new)
    if not places:
        return
    is_json = isinstance(field, JSONField)
    before, after = (values.texts(field, [column[at] for at in places]) for column in (old, new))
    for at, one, other in zip(places, before, after, strict=True):
        if one != other and not (is_json and values.same(old[at], new[at])):
            yield at, one, other


def _unequal(field: Any, old: values.Column, new: values.Column) -> Sequence[int]:
    """Where values may differ: of JSON in numbers and truths, since 1 equals true; and where values have no truth of
    their own."""
    pairs = enumerate(zip(old, new, strict=True))
    try:
        if isinstance(field, JSONField):
            return [at for at, (one, other) in pairs if one != other or not values.is_of_texts(one)]
        return [at for at, (one, other) in pairs if one != other]
    except Exception:
        return range(len(old))


def save_left_alone(run: Run, left: Sequence[tuple[int, Any]]) -> None:
    """By record id why an undo left it: `restore.Moved`."""
    rows = [(run.pk, pk, why.fields, why.before, why.after, why.now) for pk, why in left]
    bulk.insert(LeftAlone, ("run", "record_id", "fields", "before", "after", "now"), rows)
