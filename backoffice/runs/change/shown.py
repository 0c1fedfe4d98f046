"""What a run changed, for its page: how often each field, and a page of records; what a record's runs changed in it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, Model, QuerySet
from django.utils.text import capfirst

from ..models import ChangeSet, FieldMove, Run
from . import seen, told

PAGE = 50
COUNTED = 20_000  # change sets of which the fields of a page are counted; all, when asked for


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str


class Move(NamedTuple):
    """Of a record that an undo leaves alone."""

    label: str
    before: str
    after: str
    now: str


class FieldCount(NamedTuple):
    field: str
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class FieldCounts:
    fields: list[FieldCount]
    only_first: str = ""  # so many records were looked at, in words; empty: all


@dataclass(frozen=True, slots=True)
class ChangePage:
    rows: Sequence[ChangeSet]
    next_after: int | None
    field: str


def is_any(run: Run) -> bool:
    return ChangeSet.objects.filter(run=run).exists()


def of_run(run: Run, field: str = "", after: int | None = None) -> QuerySet[ChangeSet]:
    """In order of record id, `after` one; with a `field`, those in which it changed."""
    rows = ChangeSet.objects.filter(run=run).order_by("record_id")
    rows = rows if after is None else rows.filter(record_id__gt=after)
    return rows.filter(fields__contains=f" {field} ") if field else rows


def page(run: Run, field: str = "", after: int | None = None) -> ChangePage:
    """By key and not by offset: page 20,000 costs what page 1 does."""
    field = field.replace("\x00", "")
    is_hidden = field in hidden_fields(run.record_type.model_class())
    rows = [] if is_hidden else list(of_run(run, field, after)[: PAGE + 1])
    shown = rows[:PAGE]
    return ChangePage(shown, shown[-1].record_id if len(rows) > PAGE else None, field)


def by_field(run: Run, *, of: QuerySet[ChangeSet] | None = None, whole: bool = False) -> FieldCounts:
    """In how many records each field changed, most first; of the first ones only, unless the `whole` is asked for."""
    rows, model = of_run(run) if of is None else of, run.record_type.model_class()
    last = None if whole else next(iter(rows.values_list("record_id", flat=True)[COUNTED : COUNTED + 1]), None)
    if last is not None:
        rows = rows.filter(record_id__lt=last)
    counts: Counter[str] = Counter()
    for names, number in rows.order_by().values_list("fields").annotate(number=Count("pk")):
        counts.update(dict.fromkeys(names.split(), number))
    shown = ((name, number) for name, number in counts.most_common() if name not in hidden_fields(model))
    found = [FieldCount(name, label_of(model, name), number) for name, number in shown]
    return FieldCounts(found, "" if last is None else f"{COUNTED:,}")


def in_record(pk: int, runs: Iterable[int]) -> dict[int, ChangeSet]:
    """What these runs changed in a record, by run."""
    return {found.run_id: found for found in ChangeSet.objects.filter(record_id=pk, run__in=list(runs)) if found.run_id}


def by_calls(model: type[Model], pk: int) -> QuerySet[ChangeSet]:
    """What plain calls changed in a record."""
    kind = ContentType.objects.get_for_model(model)
    return ChangeSet.objects.filter(run=None, record_id=pk, record_type=kind)


def in_words(model: type[Model] | None, found: ChangeSet | None) -> tuple[Change, ...]:
    """But for the fields that the team keeps off the pages of its admin."""
    hidden = hidden_fields(model)
    return tuple(
        Change(label_of(model, each.field), *seen.differing(each.before, each.after, told.of_change(model, each.field)))
        for each in (found.changes if found else ())
        if each.field not in hidden
    )


def moves_in_words(model: type[Model] | None, moves: Iterable[FieldMove]) -> tuple[Move, ...]:
    hidden = hidden_fields(model)
    return tuple(_move(model, each) for each in moves if each.field not in hidden)


def _move(model: type[Model] | None, each: FieldMove) -> Move:
    words = told.of_change(model, each.field)
    after, now = (words(each.after),) * 2 if each.after == each.now else seen.in_words(each.after, each.now, words)
    return Move(label_of(model, each.field), words(each.before), after, now)


def hidden_fields(model: type[Model] | None) -> set[str]:
    return set(getattr(admin.site._registry.get(model) if model else None, "exclude", None) or ())


def label_of(model: type[Any] | None, field: str) -> str:
    try:
        return capfirst(str(getattr(model and model._meta.get_field(field), "verbose_name", field)))
    except FieldDoesNotExist:
        return field
