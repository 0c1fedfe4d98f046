"""Taking back what a run changed in one record: all of it or, where it has moved since, nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import FileField, QuerySet
from django.utils.translation import gettext as _

from ..models import ChangeSet, FieldChange, FieldMove, Outcome, Run
from ..registry import RecordTask
from . import keep, values
from .standing import OURS, Standing

PLAIN = {str, int, bool, type(None), datetime}  # equal in Python, equal in the database


class Moved(Exception):
    """The record is left alone; the text says why. With what its fields held before, after and now, as change sets."""

    def __init__(self, sentence: str, told: Sequence[tuple[FieldChange, str]] = ()) -> None:
        super().__init__(sentence)
        self.fields = f" {' '.join(change.field for change, _now in told)} " if told else ""
        self.before = f"[{','.join(values.encode(change.before) for change, _now in told)}]"
        self.after = f"[{','.join(values.encode(change.after) for change, _now in told)}]"
        self.now = f"[{','.join(now for _change, now in told)}]"
        self.moves = [FieldMove(*change, json.loads(now)) for change, now in told]


def of_run(task: RecordTask, run: Run, ids: Sequence[int]) -> "Restoring":
    """What an undo makes of these records, with what is known of them, read in one statement."""
    rows = ChangeSet.objects.filter(run_id=run.undoes_id, record_id__in=ids) if run.undoes_id else ()
    return Restoring(task, run, {found.record_id: found for found in rows})


class Restoring:
    """The body of an undo, for some records."""

    def __init__(self, task: RecordTask, run: Run, found: Mapping[int, ChangeSet]) -> None:
        self.declared, self.run, self.found = task, run, found
        self.model: Any = task.record_model
        self.standing = Standing(task.record_model)
        names = {name for each in found.values() for name in each.fields.split()}
        known = {name: field for name in sorted(names | OURS) if (field := field_of(self.model, name))}
        self.fields: dict[str, Any] = known
        self.names = tuple(known)

    @cached_property
    def task(self) -> RecordTask:
        """The task with what this reads and writes in place of its own."""
        asks = self.standing.reads if self.brings_back else ()
        return self.declared.varied(
            body=self, writes=self.names, reads=tuple(dict.fromkeys((*self.names, *asks))), select_related=(),
            prefetch_related=(), parameters=None, writes_elsewhere=False, change_sets=True, changes_in_place=False,
            held_too=tuple(self.standing.columns), done=_("Restored instance {id}"),
            volatile=tuple(name for name in self.declared.volatile if field_of(self.model, name)),
        )  # fmt: skip

    @property
    def compared_records(self) -> QuerySet[Any]:
        """With what `look` compares, and nothing else."""
        return self.model._base_manager.only("pk", *self.names)

    @property
    def brings_back(self) -> bool:
        """Whether a record may be called processed for what it was: it is asked what that was made of."""
        return any(" processed " in each.fields and values.TRUTHS[True] in each.before for each in self.found.values())

    def __call__(self, record: Any) -> Outcome:
        known = self.look(record)
        if known.moved:
            return Outcome(_("as before"), _("nothing to undo"))
        for change in known.changes:
            self.put(record, change.field, change.before)
        self.settle(record, known)
        return Outcome(_("restored"), ", ".join(self.restored(known)))

    def restored(self, known: "Comparison") -> Iterator[str]:
        """What now is as it was: neither when it was saved last, nor what is to be processed anew."""
        for change in sorted(known.changes, key=lambda change: self.order[change.field]):
            is_ours = change.field in OURS
            if not is_moment(self.fields[change.field]) and (not is_ours or known.holds(change.field, change.before)):
                yield self.labels[change.field]

    @cached_property
    def order(self) -> dict[str, int]:
        """In which fields are told, whichever way their values went: as the model has them, ours at the end."""
        names = [field.name for field in self.model._meta.concrete_fields if field.name in self.fields]
        return {name: at for at, name in enumerate(sorted(names, key=OURS.__contains__))}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Of the fields, looked up once for all records."""
        return {name: str(field.verbose_name) for name, field in self.fields.items()}

    def look(self, record: Any) -> "Comparison":
        """What can be taken back, if it is not as before already. Raises Moved."""
        found = self.found.get(record.pk)
        if found is None:
            raise Moved(_("What was changed in it is no longer known: retention has dropped it."))
        changes = list(found.changes)
        if gone := [change.field for change in changes if change.field not in self.fields]:
            raise Moved(_("The record has no such field any more: %(names)s.") % {"names": ", ".join(gone)})
        known = Comparison(self, record, changes)
        if not known.moved or known.is_before:
            return known
        names = ", ".join(self.labels[change.field] for change in known.moved)
        raise Moved(_("Changed since: %(names)s.") % {"names": names}, known.told())

    def put(self, record: Any, name: str, told: Any) -> None:
        field = self.fields[name]
        value = field.pre_save(record, False) if is_moment(field) else values.read(field, told)
        setattr(record, field.attname, value)

    def settle(self, record: Any, known: "Comparison") -> None:
        """Whether it is processed, and when it was: nothing of an old outcome is said of other inputs."""
        names = [change.field for change in known.changes]
        if "processed_at" not in known.as_left and "processed_at" in names:
            record.processed_at = None
        if self.standing.touches.isdisjoint(names):
            return
        if record.processed and not self.is_of_these_inputs(record, known, names):
            record.processed, record.processed_at = False, None

    def is_of_these_inputs(self, record: Any, known: "Comparison", names: list[str]) -> bool:
        """Of a record that would be called processed."""
        if self.standing.keeps_time and record.processed_at is None:
            return False
        if "processed" in names:
            others = self.found[record.pk].others
            return "processed" in known.as_left and others == self.standing.of_record(record, names)
        moved = "processed_at" in names and "processed_at" not in known.as_left
        return not moved and record.pk not in self.marked_since

    @cached_property
    def marked_since(self) -> set[int]:
        return self.standing.marked_since(
            [each for each in self.found.values() if " processed " not in each.fields], self.run
        )


class Comparison:
    """What a record holds now, beside what the run found and left in it."""

    def __init__(self, of: Restoring, record: Any, changes: list[FieldChange]) -> None:
        self.of, self.record, self.changes = of, record, changes
        volatile = of.task.volatile_fields
        self.compared = [change for change in changes if change.field not in volatile] or changes
        self.as_left = self._as_left()

    def _as_left(self) -> set[str]:
        """Asked of all at once first: of most records all is as the run left it."""
        fields = [self.of.fields[change.field] for change in self.changes]
        told = [values.read(field, change.after) for field, change in zip(fields, self.changes, strict=True)]
        now = [field.value_from_object(self.record) for field in fields]
        if all(map(is_told_by_python, told, now)) and told == now:
            return {change.field for change in self.changes}
        return {change.field for change in self.changes if self.holds(change.field, change.after)}

    @cached_property
    def moved(self) -> list[FieldChange]:
        """Those that are not as the run left them. A record that was processed since has not moved by that alone."""
        others = [change for change in self.compared if change.field != "processed"]
        moved = [change for change in self.compared if change.field not in self.as_left]
        is_processed_since = bool(others) and self.record.processed
        return [change for change in moved if not (change.field == "processed" and is_processed_since)]

    @property
    def is_before(self) -> bool:
        others = [change for change in self.compared if change.field != "processed"] or self.compared
        return all(self.holds(change.field, change.before) for change in others)

    def now(self, name: str) -> Any:
        """As a query gives it."""
        field = self.of.fields[name]
        value = field.value_from_object(self.record)
        return value.name if isinstance(field, FileField) and value is not None else value

    def holds(self, name: str, told: Any) -> bool:
        """Whether the field holds this value, as the database compares."""
        field, now = self.of.fields[name], self.now(name)
        value = values.read(field, told)
        if type(value) is type(now) and type(now) in PLAIN:
            return bool(value == now)
        return not any(keep.differing(field, [value], [now]))

    def told(self) -> list[tuple[FieldChange, str]]:
        """Without `processed` where it is not what has moved."""
        counted = [change for change in self.compared if change.field != "processed" or change in self.moved]
        return [(change, values.texts(self.of.fields[change.field], [self.now(change.field)])[0]) for change in counted]


def is_told_by_python(one: Any, other: Any) -> bool:
    """Whether two are equal in the database where they are so in Python."""
    kind = type(one)
    return kind is type(other) and (kind in PLAIN or values.is_of_texts(one))


def is_moment(field: Any) -> bool:
    """Whether it says when a record was saved last: an undo saves it, too."""
    return bool(getattr(field, "auto_now", False))


def field_of(model: Any, name: str) -> Any:
    """None where there is none any more that could be written."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if field.concrete and not field.primary_key and not field.generated else None
