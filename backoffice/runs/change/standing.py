"""Whether a record that was set back may be called processed: only where its outcome is of the inputs it has now.

A run that takes `processed` back keeps a digest of what else outcomes are made of. Where that is the same when the run
is undone, its outcome is true again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import compress
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.db.models.fields.files import FieldFile

from ..models import ChangeSet, Run, RunItem, TaskName
from ..models.paths import Path
from ..registry import RecordTask, record_tasks
from . import values

OURS = frozenset({"processed", "processed_at"})


def tasks_that_process(model: type[Model]) -> list[RecordTask]:
    """Those that say of a record that it is processed."""
    own = model._meta.label_lower
    return [task for task in record_tasks().values() if task.model_label.lower() == own and task.processes]


class Standing:
    """What outcomes of a model are made of, and whether they still are."""

    def __init__(self, model: type[Model]) -> None:
        self.model: Any = model
        self.tasks = tasks_that_process(model)
        inputs = {model._meta.get_field(name) for task in self.tasks for name in task.inputs}
        self.fields: list[Any] = sorted(
            (field for field in inputs if field.name not in OURS), key=lambda field: field.name
        )
        found = {path.name: path for task in self.tasks for path in task.related}
        self.related: list[Path] = [found[name] for name in sorted(found)]

    @property
    def reads(self) -> tuple[str, ...]:
        """As a record task names what it reads."""
        return (*(field.name for field in self.fields), *(path.name for path in self.related))

    @property
    def columns(self) -> set[str]:
        return {field.attname for field in self.fields}

    @cached_property
    def touches(self) -> set[str]:
        """Fields that an outcome is made of, or stands in."""
        written = {self.model._meta.get_field(name).name for task in self.tasks for name in task.writes}
        return written.union(field.name for field in self.fields)

    @property
    def keeps_time(self) -> bool:
        return any("processed_at" in task.writes for task in self.tasks)

    # --- what an outcome was made of

    def of_record(self, record: Any, but: Collection[str]) -> str:
        """The digest of a record that is loaded, `but` for the fields that changed in it."""
        own = (_stored(field.value_from_object(record)) for field in self.fields)
        held = (*own, *(path.of(record) for path in self.related))
        return self._digests([held], [but])[0]

    def of_rows(
        self, changed: Mapping[int, Collection[str]], named: Sequence[str], held: Mapping[int, Sequence[Any]]
    ) -> dict[int, str]:
        """By id, of rows as they are stored, with the fields that changed in each. What is `held` of them, as `named`,
        is not read again."""
        if self.columns.issubset(named) and not self.related:
            places = [named.index(field.attname) for field in self.fields]
            rows = [[held[pk][at] for at in places] for pk in changed]
            return dict(zip(changed, self._digests(rows, list(changed.values())), strict=True))
        names = (*(field.attname for field in self.fields), *(path.name for path in self.related))
        read = list(self.model._base_manager.filter(pk__in=list(changed)).values_list("pk", *names))
        told = self._digests([row[1:] for row in read], [changed[pk] for pk, *_row in read])
        return dict(zip((pk for pk, *_row in read), told, strict=True))

    def _digests(self, held: Sequence[Sequence[Any]], but: Sequence[Collection[str]]) -> list[str]:
        """Of each row: its values as text, a column at a time, without those that changed in it."""
        told = [
            [f"{name}={text}\n" for text in values.texts(field, column)]
            for (name, field), column in zip(self._named(), zip(*held, strict=True), strict=False)
        ]
        names, kept = [name for name, _field in self._named()], dict[tuple[str, ...], list[bool]]()
        for key in set(map(tuple, but)):
            kept[key] = [name not in key for name in names]
        rows = zip(*told, strict=True) if told else [()] * len(but)
        parts = (compress(row, kept[tuple(changed)]) for row, changed in zip(rows, but, strict=True))
        return [sha256("".join(each).encode()).hexdigest() for each in parts]

    def _named(self) -> Iterator[tuple[str, Any]]:
        yield from ((field.name, field) for field in self.fields)
        yield from ((path.name, path.field) for path in self.related)

    # --- who came after

    def marked_since(self, found: Sequence[ChangeSet], but: Run) -> set[int]:
        """Records that may have been marked as processed after these changes: by another run, or a plain call."""
        if not (found and self.tasks):
            return set()
        return {*self._by_runs(found, but), *self._by_calls(found)}

    def _by_runs(self, found: Sequence[ChangeSet], but: Run) -> Iterator[int]:
        at, own = {each.record_id: each.at for each in found}, {but.pk, *(each.run_id for each in found)}
        numbers = dict(TaskName.objects.filter(name__in=[task.name for task in self.tasks]).values_list("pk", "name"))
        items = RunItem.objects.filter(
            record_id__in=list(at), task_no__in=list(numbers), finished_at__gte=min(at.values())
        )
        later = [
            (run, pk, numbers[number])
            for run, pk, number, ended in items.values_list("run_id", "record_id", "task_no", "finished_at")
            if run not in own and ended and ended >= at[pk]
        ]
        silent = {task.name for task in self.tasks if not task.change_sets}
        yield from (pk for _run, pk, name in later if name in silent)
        if later:
            rows = ChangeSet.objects.filter(run__in={run for run, _pk, _name in later}, record_id__in=list(at))
            yield from self._marking(rows, at)

    def _by_calls(self, found: Sequence[ChangeSet]) -> Iterator[int]:
        at, kind = {each.record_id: each.at for each in found}, ContentType.objects.get_for_model(self.model)
        yield from self._marking(ChangeSet.objects.filter(run=None, record_id__in=list(at), record_type=kind), at)

    def _marking(self, rows: Iterable[ChangeSet], at: Mapping[int, Any]) -> Iterator[int]:
        yield from (row.record_id for row in rows if " processed " in row.fields and row.at >= at[row.record_id])


def _stored(value: Any) -> Any:
    return value.name if isinstance(value, FieldFile) else value
