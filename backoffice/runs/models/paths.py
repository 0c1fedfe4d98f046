"""What a record task names of rows that its record leads to: "carrier__tariff"."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Prefetch


class NoPath(ValueError):
    """The text says which step leads nowhere, and why."""


@dataclass(frozen=True, slots=True)
class Path:
    """A field of a row that a record leads to."""

    relation: str  # "carrier"
    name: str  # for queries: "carrier__tariff", of a foreign key its column
    steps: tuple[str, ...]  # the attributes on the way
    field: Any

    def of(self, record: Model) -> Any:
        """The value, or None where a row on the way is not there, as the database gives it."""
        value: Any = record
        for step in self.steps:
            value = getattr(value, step, None)
        return value


def path(model: type[Model], name: str) -> Path:
    """Raises NoPath."""
    relation, _, last = name.rpartition("__")
    steps = []
    for part in relation.split("__"):
        field = _field(model, part, name)
        if not field.is_relation or not field.related_model:
            raise NoPath(f"{name!r}: {model._meta.label}.{part} leads to no other row.")
        if field.one_to_many or field.many_to_many:
            raise NoPath(f"{name!r}: {model._meta.label}.{part} leads to many rows: only a field of one is compared.")
        steps.append(field.get_accessor_name() if field.auto_created else field.name)
        model = field.related_model
    field = _field(model, last, name)
    if not getattr(field, "column", None):
        raise NoPath(f"{name!r}: {model._meta.label}.{last} is no column.")
    return Path(relation, f"{relation}__{field.attname}", (*steps, field.attname), field)


def _field(model: type[Model], part: str, name: str) -> Any:
    try:
        return model._meta.get_field(part)
    except FieldDoesNotExist as exc:
        raise NoPath(f"{name!r}: {model._meta.label} has no field {part!r}.") from exc


def whole(model: type[Model], relation: str) -> Iterator[str]:
    """Every column of the rows on the way, and of the one at its end, as `only()` takes them."""
    prefix = ""
    for part in relation.split("__"):
        model = _field(model, part, relation).related_model
        prefix = f"{prefix}{part}__"
        yield from (prefix + field.attname for field in model._meta.concrete_fields)


def check_prefetched(model: type[Model], lookup: str | Prefetch) -> None:
    """Django looks at these names with records at hand only. Raises NoPath."""
    for part in (lookup if isinstance(lookup, str) else lookup.prefetch_through).split("__"):
        field = _leading(model, part)
        if field is None:
            raise NoPath(f"{lookup!r}: {model._meta.label} has no relation {part!r}.")
        if not field.related_model:  # any row: a GenericForeignKey
            return
        model = field.related_model


def _leading(model: type[Model], part: str) -> Any:
    fields: list[Any] = [*model._meta.get_fields(), *model._meta.private_fields]
    for field in fields:
        name = field.get_accessor_name() if field.auto_created and not field.concrete else field.name
        if field.is_relation and name == part:
            return field
    return None


def own_column(model: type[Model], lookup: str | Prefetch) -> str | None:
    """The record's own column that a lookup begins with: deferred, it would be asked for record by record."""
    first = (lookup if isinstance(lookup, str) else lookup.prefetch_through).partition("__")[0]
    field = _leading(model, first)
    return getattr(field, "attname", None) if field is not None and field.concrete else None
