"""Filters with a name, a click away: what people come to a list for."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

MOST = 1_000  # that are counted: half a millisecond by an index

Named = Sequence[tuple[Any, str]]  # words, and the filter as the list's address has it


@dataclass(frozen=True, slots=True)
class Link:
    words: str
    url: str
    number: str  # "" where nobody counted
    is_here: bool


def links(model_admin: Any, request: HttpRequest, changelist: Any) -> list[Link]:
    """With numbers for those that an index counts, all of them asked at once."""
    named: Named = model_admin.get_named_filters(request)
    rows = {query: matching(changelist, request, query) for _words, query in named}
    numbers = counted({query: found for query, found in rows.items() if found is not None})
    here = asked_for(request.GET)
    return [
        Link(str(words), f"{request.path}?{query}", numbers.get(query, ""), asked_for(QueryDict(query)) == here)
        for words, query in named
    ]


def asked_for(query: QueryDict) -> dict[str, list[str]]:
    """Without the page and the order."""
    return {name: values for name, values in query.lists() if name not in ("p", "o")}


def matching(changelist: Any, request: HttpRequest, query: str) -> QuerySet[Any] | None:
    """What a filter finds; None where no index counts it."""
    asked = dict(QueryDict(query).lists())
    used = [each for each in changelist.list_filter if is_asked(each, asked)]
    if len(used) != len(asked) or not all(is_indexed(each, changelist.model) for each in used):
        return None
    other = copy(changelist)
    other.list_filter, other.filter_params, other.params, other.query = used, asked, {}, ""
    found: QuerySet[Any] = other.get_queryset(request)
    return found


def is_asked(entry: Any, asked: Iterable[str]) -> bool:
    if isinstance(entry, str | tuple):
        field = entry if isinstance(entry, str) else entry[0]
        return any(name.partition("__")[0] == field for name in asked)
    return getattr(entry, "parameter_name", "") in asked


def is_indexed(entry: Any, model: Any) -> bool:
    """A filter by a field that an index begins with; a class of its own says `is_indexed`."""
    if not isinstance(entry, str | tuple):
        return bool(getattr(entry, "is_indexed", False))
    field = entry if isinstance(entry, str) else entry[0]
    first = {index.fields[0] for index in model._meta.indexes if index.fields and index.condition is None}
    return field in first or any(each.name == field and (each.db_index or each.unique) for each in model._meta.fields)


def counted(rows: dict[str, QuerySet[Any]]) -> dict[str, str]:
    """One question for all, that reads MOST entries of an index for each."""
    parts, parameters, names = [], list[Any](), list[str]()
    for query, found in rows.items():
        try:
            sql, given = found.order_by().values("pk")[: MOST + 1].query.get_compiler(found.db).as_sql()
        except EmptyResultSet:
            continue
        parts.append(f"(SELECT count(*) FROM ({sql}) found)")  # noqa: S608 - Django's own
        parameters += given
        names.append(query)
    if not parts:
        return {}
    using = next(iter(rows.values())).db
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return {name: in_words(number) for name, number in zip(names, cursor.fetchone(), strict=True)}


def in_words(number: int) -> str:
    return f"{MOST:,}+" if number > MOST else str(number)
