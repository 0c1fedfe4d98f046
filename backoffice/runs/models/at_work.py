"""A record task's function at work on its record: what it may not do there, and how that is found out."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import itemgetter
from typing import Any

from .alike import alike

ABSENT = object()
MUTABLE = {list, dict}

_at_work: ContextVar["Work | None"] = ContextVar("at_work", default=None)


class Undeclared(Exception):
    """A record task changed a field that its `writes` lacks, or saved or deleted its record itself."""


class Kept:
    """The columns that a task's function must leave as they are, and which of them its records come with."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.known: tuple[Any, ...] = ()

    def learn(self, held: dict[str, Any]) -> tuple[Any, ...]:
        """How to get those that are loaded, as a tuple; and the others."""
        loaded = [name for name in self.names if name in held]
        self.known = itemgetter(*loaded, *loaded[:1]) if loaded else _nothing, frozenset(self.names).difference(loaded)
        return self.known


def _nothing(_held: object) -> tuple[()]:
    return ()


class Work:
    """What a record held before the function had it; a field that is loaded meanwhile held what was loaded."""

    __slots__ = ("before", "held", "kept", "late", "looks", "of", "record", "refused")

    def __init__(self, record: Any, kept: Kept) -> None:
        self.record, self.kept = record, kept.names
        self.before: dict[str, Any] = record.__dict__.copy()
        try:
            self.of, self.late = kept.known
            self.held = self.of(self.before)
        except (KeyError, ValueError):  # nothing is known, or this one came with less
            self.of, self.late = kept.learn(self.before)
            self.held = self.of(self.before)
        self.looks: dict[str, str] = {}  # of what may be changed in place
        self.refused: Undeclared | None = None
        if not MUTABLE.isdisjoint(map(type, self.held)):
            self._look(self.kept)

    def _look(self, names: Iterable[str]) -> None:
        self.looks |= {name: repr(self.before[name]) for name in names if type(self.before.get(name)) in MUTABLE}

    def loaded(self, record: Any, names: Iterable[str]) -> None:
        """Take what was read from the database for what was there."""
        if record is self.record:
            self.before |= {name: record.__dict__[name] for name in names if name in record.__dict__}
            self._look(set(names).intersection(self.kept))

    def refuse(self, record: Any, what: str) -> None:
        """Raises Undeclared for the record in hand, or another instance of it."""
        if record is self.record or (record.pk == self._pk() and _table(record) is _table(self.record)):
            changed = self._changed(field.attname for field in record._meta.concrete_fields)
            self.refused = Undeclared(
                f"{what} in a record task: leave it out, the fields that its `writes` names are saved for it."
                f" Changed: {', '.join(changed) or 'none'}."
            )
            raise self.refused

    def _pk(self) -> Any:
        return self.before.get(self.record._meta.pk.attname)

    def check(self) -> None:
        """Raises Undeclared, also where the function went on after a refusal."""
        if self.refused:
            raise self.refused
        if self._is_untouched():
            return
        if changed := self._changed(self.kept):
            names = ", ".join(changed)
            raise Undeclared(f"{names}: changed, and not in the task's `writes`. Name it there, or leave it as it is.")

    def _is_untouched(self) -> bool:
        """Whether all is as before, asked in the quickest way: of nearly every record it is."""
        now = self.record.__dict__
        try:
            return not self.looks and now.keys().isdisjoint(self.late) and bool(self.of(now) == self.held)
        except Exception:  # values that have no truth of their own, or are no longer there
            return False

    def _changed(self, names: Iterable[str]) -> list[str]:
        before, now = self.before, self.record.__dict__
        other = [name for name in names if before.get(name, ABSENT) is not now.get(name, ABSENT)]
        other += [name for name, look in self.looks.items() if name not in other and repr(now.get(name)) != look]
        return [field.name for field in self._fields(other) if not self._is_as_before(field)]

    def _fields(self, names: list[str]) -> list[Any]:
        return [field for field in self.record._meta.concrete_fields if field.attname in names] if names else []

    def _is_as_before(self, field: Any) -> bool:
        before, now = (held.get(field.attname, ABSENT) for held in (self.before, self.record.__dict__))
        if before is now:  # in place, as its looks tell
            return False
        return ABSENT not in (before, now) and alike(field, before, now)


def _table(record: Any) -> Any:
    return record._meta.concrete_model


def watched[T](kept: Kept, call: Callable[[Callable[[Any], T], Any], T], body: Callable[[Any], T], record: Any) -> T:
    """What `call(body, record)` gives. Raises Undeclared where the body did what its task does not declare."""
    work = Work(record, kept)
    token = _at_work.set(work)
    try:
        given = call(body, record)
    finally:
        _at_work.reset(token)
    work.check()
    return given


def refuse(record: Any, what: str) -> None:
    """Raises Undeclared when a record task is at work on this record."""
    if (work := _at_work.get()) is not None:
        work.refuse(record, what)


def loaded(record: Any, names: Iterable[str] | None) -> None:
    if (work := _at_work.get()) is not None:
        fields = record._meta.concrete_fields
        work.loaded(record, [f.attname for f in fields if names is None or f.name in names or f.attname in names])
