"""Keeping likenesses true: what is written of a record, and when a decision about two of them ends."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Greatest, Least

from backoffice.results import activity, bulk
from backoffice.results.models import Activity

from ..database.again import again
from .likeness import Apart, Likeness

AT_ONCE = 500
FIELDS = ("record_type", "value", "record_id")
Numbers = Mapping[int, set[int]]  # by record id


def folded(value: object) -> str:
    """Letters and digits, without case, accents and marks."""
    base = unicodedata.normalize("NFKD", "" if value is None else str(value)).casefold()
    return "".join(char for char in base if char.isalnum())


def number_of(name: str, text: str) -> int:
    data = blake2b(f"{name}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(data, "big", signed=True)


def numbers_of(record: Any) -> dict[int, str]:
    """A record's likenesses, each with its name."""
    return {number_of(name, text): name for name, text in record.likenesses().items() if text}


def kind_of(model: type[models.Model]) -> int:
    return ContentType.objects.get_for_model(model).pk


def is_touched(model: Any, fields: Collection[str] | None) -> bool:
    """Whether a write of these fields (None: of all) changes what its records are compared by."""
    return bool(model.compared) and (fields is None or not set(model.compared).isdisjoint(fields))


def keep(model: Any, ids: Iterable[int], *, ends: bool = True) -> None:
    """After a write, in its transaction: bring likenesses up to date. Decisions about records of which one changed
    end, unless only the rules did (`ends`)."""
    every = sorted(ids)
    for start in range(0, len(every), AT_ONCE):
        some = every[start : start + AT_ONCE]
        records = model._base_manager.filter(pk__in=some).only("pk", *model.compared)
        write(model, some, {record.pk: set(numbers_of(record)) for record in records}, ends=ends)


def keep_added(records: Iterable[Any]) -> None:
    """Of rows that were not there before."""
    rows = [(kind_of(type(each)), value, each.pk) for each in records if each.compared for value in numbers_of(each)]
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        bulk.insert(Likeness, FIELDS, some, "ON CONFLICT DO NOTHING")
        for kind in {kind for kind, _value, _pk in some}:
            refresh_later(kind, {value for of, value, _pk in some if of == kind})


def write(model: type[models.Model], ids: Iterable[int], now: Numbers, *, ends: bool = True) -> None:
    """The likenesses of these records; of one that is not in `now` none."""
    kind, old, gone = kind_of(model), defaultdict[int, set[int]](set), []
    there = Likeness.objects.filter(record_type=kind, record_id__in=list(ids))
    for pk, record_id, value in there.values_list("pk", "record_id", "value"):
        old[record_id].add(value)
        if value not in now.get(record_id, ()):
            gone.append(pk)
    added = [(kind, value, pk) for pk, values in sorted(now.items()) for value in sorted(values - old[pk])]
    if gone:
        Likeness.objects.filter(pk__in=gone).delete()
    bulk.insert(Likeness, FIELDS, added, "ON CONFLICT DO NOTHING")
    changed = [pk for pk, values in old.items() if values and values != now.get(pk, set())]
    touched = {value for pk in (*old, *now) for value in old[pk] ^ set(now.get(pk, ()))}
    if changed and ends:
        touched.update(_end(model, changed))
    refresh_later(kind, touched)


def forget(model: Any, ids: Iterable[int]) -> None:
    """Of records that go, before or after they do."""
    if model.compared:
        every = sorted(ids)
        for start in range(0, len(every), AT_ONCE):
            some = every[start : start + AT_ONCE]
            if values := set(values_of(model, some)):
                about(model, some)._raw_delete("default")
                Likeness.objects.filter(record_type=kind_of(model), record_id__in=some)._raw_delete("default")
                refresh_later(kind_of(model), values)


def about(model: type[models.Model], ids: Collection[int]) -> "models.QuerySet[Apart]":
    return Apart.objects.filter(Q(low__in=ids) | Q(high__in=ids), record_type=kind_of(model))


def _end(model: type[models.Model], ids: Collection[int]) -> Iterable[int]:
    """What was decided about these was decided about other values. Returns what the records are compared by."""
    found = list(about(model, ids).order_by("pk"))
    if not found:
        return ()
    log(model, "record.apart_ended", None, found)
    Apart.objects.filter(pk__in=[each.pk for each in found]).delete()
    return values_of(model, {pk for each in found for pk in (each.low, each.high)})


def values_of(model: type[models.Model], ids: Collection[int]) -> Iterable[int]:
    return Likeness.objects.filter(record_type=kind_of(model), record_id__in=ids).values_list("value", flat=True)


# --- who has a candidate


def refresh_later(kind: int, values: Iterable[int]) -> None:
    """After the commit: of two who write the same likeness at once the later one sees both."""
    every = sorted(values)
    for start in range(0, len(every), AT_ONCE):
        transaction.on_commit(partial(refresh, kind, every[start : start + AT_ONCE]), robust=True)


@again()
def refresh(kind: int, values: Collection[int]) -> None:
    """Mark the likenesses of these values of which a candidate is left. Once more after a change: another one may have
    been made on what was there before."""
    same = Likeness.objects.filter(record_type=kind, value=OuterRef("value")).exclude(record_id=OuterRef("record_id"))
    pair = OuterRef("record_id"), OuterRef(OuterRef("record_id"))
    apart = Apart.objects.filter(record_type=kind, low=Least(*pair), high=Greatest(*pair))
    rows = Likeness.objects.filter(record_type=kind, value__in=values)
    is_open = Exists(same.filter(~Exists(apart)))
    for _time in range(3):
        if not rows.filter(is_open, open=False).update(open=True) + rows.filter(~is_open, open=True).update(open=False):
            return


def log(model: type[models.Model], verb: str, user: object, found: Iterable[Apart], reason: str | None = None) -> None:
    """An entry for each of the two records. With the reason of the decision where none of its own is given."""
    pairs = [(each, *pair) for each in found for pair in ((each.low, each.high), (each.high, each.low))]
    rows: Mapping[int, Any] = model._base_manager.in_bulk([pk for _each, pk, _other in pairs])
    Activity.objects.bulk_create(
        activity.entry(user, verb, rows[pk], other=str(rows.get(other, other)), other_id=other, **_why(each, reason))
        for each, pk, other in pairs
        if pk in rows
    )


def _why(decided: Apart, reason: str | None) -> dict[str, str]:
    said = decided.reason if reason is None else reason
    return {"reason": said} if said else {}


def saved(record: Any, fields: Collection[str] | None, save: Callable[[], None]) -> None:
    """Save one record by `save` and keep its likenesses, in one transaction."""
    if not is_touched(type(record), fields):
        save()
        return
    added, model = record._state.adding, type(record)
    with transaction.atomic():
        save()
        if any(hasattr(getattr(record, name), "resolve_expression") for name in model.compared):
            keep(model, [record.pk])  # what the database makes of it
        elif added:
            keep_added([record])
        else:
            write(model, [record.pk], {record.pk: set(numbers_of(record))})
