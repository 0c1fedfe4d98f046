"""The record before or after another one, in the order and under the filter of the list it was opened from.

It is found by what the list is sorted by, beyond what this record has there: no count, and no page before it is read;
and a record that the filter has lost since, as it was mended, still has its neighbours.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connections
from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.http import HttpRequest, QueryDict

from ...database.bounded import bounded
from .. import back
from ..listing.unread import unread

PREVIOUS, NEXT = "previous", "next"
WAYS = (PREVIOUS, NEXT)
RARE = 50  # rows
THINKING = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Key:
    """One of what a list is sorted by, with what this record has there."""

    name: str  # of its annotation
    order: OrderBy
    nulls_last: bool
    has_nulls: bool
    value: Any = None

    @property
    def same(self) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if self.value is None else Q(**{self.name: self.value})

    @property
    def beyond(self) -> Q:
        if self.value is None:
            return Q(pk__in=()) if self.nulls_last else Q(**{f"{self.name}__isnull": False})
        found = Q(**{f"{self.name}__{'lt' if self.order.descending else 'gt'}": self.value})
        return found | Q(**{f"{self.name}__isnull": True}) if self.nulls_last and self.has_nulls else found

    @property
    def beginning(self) -> Q:
        """Of what is beyond or the same: where an index of this key begins, which none finds behind an "or"."""
        if self.value is None or (self.nulls_last and self.has_nulls):
            return Q()
        return Q(**{f"{self.name}__{'lte' if self.order.descending else 'gte'}": self.value})


def beside(model_admin: Any, request: HttpRequest, record: Any, way: str) -> Any:
    """Its primary key; None at the end of the list. Raises TooSlow, and what a list does of odd filters."""
    listed = list_of(model_admin, request)
    keys = list(keys_of(listed, way))
    annotations = {key.name: key.order.expression for key in keys}
    with bounded(THINKING, listed.queryset.db):
        own = listed.root_queryset.filter(pk=record.pk).annotate(**annotations).values_list(*annotations).first()
        if own is None:
            return None
        keys = [replace(key, value=value) for key, value in zip(keys, own, strict=True)]
        rows = listed.queryset.order_by().annotate(**annotations).filter(beyond(keys)).exclude(pk=record.pk)
        if listed.has_active_filters or listed.query:
            rows = if_rare(rows)
        return rows.order_by(*(key.order for key in keys)).values_list("pk", flat=True).first()


def list_of(model_admin: Any, request: HttpRequest) -> Any:
    asked = copy(request)
    asked.GET = QueryDict(back.filters(request))
    return unread(model_admin).get_changelist_instance(asked)


def keys_of(listed: Any, way: str) -> Iterator[Key]:
    rows: QuerySet[Any] = listed.queryset
    nulls_are_great = connections[rows.db].vendor == "postgresql"
    for number, part in enumerate(order_of(rows.model, rows.query.order_by)):
        last = part.nulls_last or (not part.nulls_first and nulls_are_great != part.descending)
        if way == PREVIOUS:
            part.descending, last = not part.descending, not last
        has_nulls = may_be_null(rows.model, part.expression)
        where: dict[str, Any] = {"nulls_last" if last else "nulls_first": True} if has_nulls else {}
        yield Key(f"step_{number}", OrderBy(part.expression, descending=part.descending, **where), last, has_nulls)


def order_of(model: type[Model], parts: Any) -> Iterator[OrderBy]:
    """As a list is sorted, in expressions; by another row, as rows of its kind are."""
    for part in parts:
        if not isinstance(part, str):
            yield part.copy() if isinstance(part, OrderBy) else part.asc()
            continue
        name, descending = part.removeprefix("-"), part.startswith("-")
        field = field_of(model, name)
        if field is not None and field.is_relation and name == field.name and field.related_model._meta.ordering:
            for inner in order_of(field.related_model, field.related_model._meta.ordering):
                if within := name_of(inner.expression):
                    yield OrderBy(F(f"{name}__{within}"), descending=inner.descending != descending)
        else:
            yield OrderBy(F(name), descending=descending)


def name_of(expression: Any) -> str:
    """Of the column; "" for what is more than one."""
    return str(getattr(expression, "name", "")) if isinstance(expression, F) else ""


def field_of(model: type[Model], name: str) -> Any:
    try:
        return model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def may_be_null(model: type[Model], expression: Any) -> bool:
    field = field_of(model, name_of(expression))
    return field is None or field.null


def beyond(keys: list[Key]) -> Q:
    """Later by the first key; or the same there, and later by the next."""
    *former, last = keys
    lexical = reduce(lambda rest, key: key.beyond | (key.same & rest), reversed(former), last.beyond)
    return lexical & keys[0].beginning if former else lexical


def if_rare(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With one scan: for few rows in an order SQLite walks the whole index of that order."""
    found = list(rows.values_list("pk", flat=True)[: RARE + 1])
    return rows if len(found) > RARE else rows.filter(pk__in=found)
