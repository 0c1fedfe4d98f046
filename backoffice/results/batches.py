"""Reading many rows while something is written: a page at a time by key, never an open cursor."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, QuerySet


def pages[M: Model](rows: "QuerySet[M, Any]", size: int, key: str = "pk") -> "Iterator[list[M]]":
    """All rows in order of a unique key. Between two pages nothing is open.

    On SQLite an open cursor keeps its snapshot, and once somebody else has written no write can begin beside it
    ("database is locked", at once). Rows that come meanwhile are seen where their key lies ahead.
    """
    after: Any = None
    while page := list((rows if after is None else rows.filter(**{f"{key}__gt": after})).order_by(key)[:size]):
        yield page
        if len(page) < size:
            return
        after = getattr(page[-1], key)


def by_key[M: Model](rows: "QuerySet[M, Any]", size: int, key: str = "pk") -> "Iterator[M]":
    for page in pages(rows, size, key):
        yield from page
