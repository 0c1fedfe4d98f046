"""A field's value as JSON that tells its type and loses nothing, and back.

Text, whole numbers, truths and NULL stand for themselves; other values are an object of one key, their kind:
`{"decimal": "1.50"}`. Of a field with a reading of its own it is what would be stored, as `{"stored": ...}`: what such
a field hides stays hidden.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.db.backends.utils import format_number

from backoffice.results import bulk
from backoffice.results.values.encoding import made_once

Column = Sequence[Any]
NULL = "null"
TRUTHS = {None: NULL, True: "true", False: "false"}
TEXTS = {str, type(None)}
MICROSECOND = timedelta(microseconds=1)
WIDE, FLOAT = Context(prec=1_000), Context(prec=15)

# What comes back from both databases as it was saved. Exact types only; of others, what was stored is read again.
AS_SAVED: dict[type, type] = {
    **bulk.UNCHANGED,
    **dict.fromkeys((models.EmailField, models.SlugField, models.URLField), str),
    **dict.fromkeys((models.SmallIntegerField, models.PositiveBigIntegerField), int),
    models.DateField: date,
    models.DateTimeField: datetime,
    models.UUIDField: UUID,
}


class Encoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return form(o)


# Sorted: equal values, equal text. Circles are looked for by what saves the value.
encode = made_once(Encoder(sort_keys=True, separators=(",", ":")))


def stored(field: Any, column: Column) -> Column | None:
    """These values as the database gives them back. None: it must be asked."""
    decimal = isinstance(field, models.DecimalField) and not reads_its_own_way(field)
    if decimal and set(map(type, column)) <= {Decimal, type(None)}:
        try:
            return [None if value is None else rounded(field, value) for value in column]
        except ArithmeticError:
            return None
    return column if _is_as_saved(field, column) else None


def rounded(field: Any, value: Decimal) -> Decimal:
    """As a column of this field rounds: PostgreSQL a half up, Django for SQLite to even; that keeps 15 digits."""
    last = Decimal(1).scaleb(-field.decimal_places)
    if connection.vendor == "postgresql":
        kept = value.quantize(last, ROUND_HALF_UP, WIDE)
        return kept or kept.copy_abs()  # it has no negative zero
    text = format_number(value, field.max_digits, field.decimal_places)
    return FLOAT.create_decimal_from_float(float(text or 0)).quantize(last, context=field.context)


def _is_as_saved(field: Any, column: Column) -> bool:
    if type(field) is models.JSONField:
        return field.encoder is None and field.decoder is None
    kind = AS_SAVED.get(bulk.kind_of(field))
    if kind is None or not set(map(type, column)) <= {kind, type(None)}:
        return False
    return kind is not datetime or all(value is None or value.tzinfo for value in column)


def texts(field: Any, column: Column) -> list[str]:
    """Each value of a column as JSON."""
    if isinstance(field, models.JSONField):
        return [NULL if value is None else f'{{"json":{_json(field, value)}}}' for value in column]
    if reads_its_own_way(field):
        return [NULL if value is None else encode({"stored": form(field.get_prep_value(value))}) for value in column]
    kinds = set(map(type, column)) - {type(None)}
    if kinds <= {str}:
        return [NULL if value is None else encode_basestring_ascii(value) for value in column]
    if kinds <= {bool}:
        return [TRUTHS[value] for value in column]
    if kinds <= {int}:
        return [NULL if value is None else str(value) for value in column]
    if kinds <= {datetime}:
        return [NULL if value is None else f'{{"datetime":"{_in_utc(value)}"}}' for value in column]
    return [encode(form(value)) for value in column]


def _json(field: Any, value: Any) -> str:
    if field.encoder is not None or field.decoder is not None:
        value = json.loads(json.dumps(value, cls=field.encoder or DjangoJSONEncoder))
    try:
        return encode(value)
    except TypeError:  # keys of several types are not sorted before they are texts
        return encode(json.loads(json.dumps(value)))


def reads_its_own_way(field: Any) -> bool:
    """Whether a team's own field makes something else of what is stored."""
    return hasattr(field, "from_db_value") and not type(field).__module__.startswith("django.")


def form(value: Any) -> Any:
    """A value as JSON has words for it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else {"float": str(value)}
    if isinstance(value, (list, tuple)):
        return [form(each) for each in value]
    if isinstance(value, dict):
        return {"map": {key: form(each) for key, each in value.items()}}
    for kind, name, write in WRITTEN:
        if isinstance(value, kind):
            return {name: write(value)}
    return {"text": str(value)}


def _in_utc(moment: datetime) -> str:
    return (moment.astimezone(UTC) if moment.tzinfo else moment).isoformat()


# A datetime is a date, too: the narrower first.
WRITTEN: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (Decimal, "decimal", str),
    (datetime, "datetime", _in_utc),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "microseconds", lambda value: value // MICROSECOND),
    (UUID, "uuid", str),
    ((bytes, bytearray, memoryview), "bytes", lambda value: b64encode(value).decode()),
)
READ: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "decimal": Decimal,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "microseconds": lambda value: value * MICROSECOND,
    "uuid": UUID,
    "bytes": b64decode,
    "map": lambda value: {key: _plain(each) for key, each in value.items()},
    "text": str,
    "json": lambda value: value,
}


def read(field: Any, written: Any) -> Any:
    """The value that a field held, as it can be set on a record."""
    if isinstance(written, dict) and "stored" in written:
        return field.from_db_value(_plain(written["stored"]), None, connection)
    if isinstance(written, dict) and "json" in written and getattr(field, "decoder", None):
        return json.loads(json.dumps(written["json"]), cls=field.decoder)
    return field.to_python(written["text"]) if isinstance(written, dict) and "text" in written else _plain(written)


def _plain(written: Any) -> Any:
    if isinstance(written, list):
        return [_plain(each) for each in written]
    if isinstance(written, dict):
        ((name, value),) = written.items()
        return READ[name](value)
    return written


def words(written: Any) -> str:
    """A value for people."""
    if isinstance(written, dict):
        ((name, value),) = written.items()
        if name == "microseconds":
            return str(value * MICROSECOND)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(written, list):
        return ", ".join(map(words, written))
    return "" if written is None else str(written)


def is_of_texts(value: Any) -> bool:
    """Whether there is no number and no truth in a JSON value: what equals such a one in Python is the same."""
    kind = type(value)
    if kind is dict:
        return all(type(name) is str for name in value) and _are_of_texts(value.values())
    return kind in TEXTS or (kind is list and _are_of_texts(value))


def _are_of_texts(several: Collection[Any]) -> bool:
    return TEXTS.issuperset(map(type, several)) or all(map(is_of_texts, several))


def same(one: Any, other: Any) -> bool:
    """Whether two values of a JSON field are the same: `jsonb` writes 1e+16 as a whole number; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return _is_same_number(one, other)
    return bool(one == other)


def _is_same_number(one: Any, other: Any) -> bool:
    try:
        return float(one) == float(other) if {type(one), type(other)} <= {int, float} else False
    except OverflowError:
        return False
