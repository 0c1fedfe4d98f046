"""Which records may be the same one as these, but for those of which somebody said they are not."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from ..models import Apart, Likeness, compared

MOST = 200  # of one likeness that are looked at: a name that ten thousand have says nothing

Candidates = dict[int, list[int]]  # by record id, those that share most with it first


def of(model: Any, ids: Collection[int], *, marked: bool = False) -> Candidates:
    """Those of each of these records, in three statements; in one where none of them is `marked` as having any."""
    mine: dict[int, set[int]] = defaultdict(set)
    rows = _of_kind(model).filter(record_id__in=ids, **({"open": True} if marked else {}))
    for record_id, value in rows.values_list("record_id", "value"):
        mine[record_id].add(value)
    return _less_the_apart(model, _matches(model, mine))


def like(model: Any, record: Any) -> list[int]:
    """Those of a record that is not stored yet."""
    return of_numbers(model, {0: set(compared.numbers_of(record))}).get(0, [])


def of_numbers(model: Any, mine: dict[int, set[int]]) -> Candidates:
    """Those of records that are not stored yet, under whatever number below 1."""
    return _matches(model, mine)


def _of_kind(model: Any) -> QuerySet[Likeness]:
    return Likeness.objects.filter(record_type=compared.kind_of(model))


def _matches(model: Any, mine: dict[int, set[int]]) -> Candidates:
    every = sorted({value for values in mine.values() for value in values})
    holders: dict[int, list[int]] = defaultdict(list)
    place = Window(RowNumber(), partition_by=F("value"), order_by=F("record_id").asc())
    for start in range(0, len(every), compared.AT_ONCE):
        rows = _of_kind(model).filter(value__in=every[start : start + compared.AT_ONCE])
        for value, record_id in rows.annotate(place=place).filter(place__lte=MOST).values_list("value", "record_id"):
            holders[value].append(record_id)
    return {pk: found for pk, values in mine.items() if (found := _ranked(pk, values, holders))}


def _ranked(pk: int, values: Iterable[int], holders: dict[int, list[int]]) -> list[int]:
    shared: dict[int, int] = defaultdict(int)
    for value in values:
        for other in holders[value]:
            shared[other] += 1
    shared.pop(pk, None)
    return sorted(shared, key=lambda other: (-shared[other], other))


def _less_the_apart(model: Any, found: Candidates) -> Candidates:
    if not found:
        return {}
    pairs = set(compared.about(model, list(found)).values_list("low", "high"))
    left = {pk: [other for other in others if pair(pk, other) not in pairs] for pk, others in found.items()}
    return {pk: others for pk, others in left.items() if others}


def pair(one: int, other: int) -> tuple[int, int]:
    return min(one, other), max(one, other)


def with_candidates(model: Any) -> QuerySet[Any]:
    """Ids of all records that have any."""
    return _of_kind(model).filter(open=True).values("record_id")


def settled(model: Any) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Ids of records that were set apart from another one: as the lower, and as the higher of two."""
    rows = Apart.objects.filter(record_type=compared.kind_of(model))
    return rows.values("low"), rows.values("high")
