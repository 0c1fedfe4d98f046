"""Whether two values of a field are the same."""

from typing import Any


def alike(field: Any, one: Any, other: Any) -> bool:
    """Whether two values of a field are the same, as they are or as they are stored."""
    return _is_same(one, other) or _is_same(_stored(field, one), _stored(field, other))


def _stored(field: Any, value: Any) -> Any:
    try:
        return field.get_prep_value(value)
    except (TypeError, ValueError):
        return value


def _is_same(one: Any, other: Any) -> bool:
    """Equal, or not a number both: NaN equals nothing."""
    if isinstance(one, list | tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[key]) for key, value in one.items())
    try:
        return bool(one == other or (one != one and other != other))
    except Exception:
        return False
