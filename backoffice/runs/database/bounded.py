"""A bound on how long the database may think: for queries whose conditions people wrote."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.transaction import atomic
from django.utils.translation import gettext as _

STEPS = 20_000  # of SQLite's machine between two looks at the clock: well under a millisecond
CANCELLED = "57014"  # PostgreSQL's query_canceled
IsOver = Callable[[OperationalError], bool]


class TooSlow(Exception):
    """The database did not answer in time; the text is fit for staff."""

    def __init__(self, seconds: float) -> None:
        sentence = _("The database did not answer within %(n)g s: choose with a simpler filter or search.")
        super().__init__(sentence % {"n": seconds})


@contextmanager
def bounded(seconds: float, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Raises TooSlow in place of a statement that takes longer: each of them on PostgreSQL, all together on SQLite.

    What was written in a transaction is lost with it, as after any error of the database. A bound inside another one
    may only be shorter.
    """
    connection = connections[using]
    connection.ensure_connection()
    limit = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with limit(connection, seconds) as is_over:
        try:
            yield
        except OperationalError as error:
            if is_over(error):
                raise TooSlow(seconds) from error
            raise


@contextmanager
def _on_postgresql(connection: Any, seconds: float) -> Iterator[IsOver]:
    """In a transaction the savepoint takes a failed statement's setting back; outside of one nothing is aborted."""
    inside = connection.in_atomic_block
    with atomic(connection.alias) if inside else nullcontext():
        before = _setting(connection)
        _set(connection, f"{seconds * 1000:.0f}", local=inside)
        try:
            yield lambda error: getattr(error.__cause__, "sqlstate", "") == CANCELLED
        except BaseException:
            if not inside:
                _set(connection, before, local=False)
            raise
        _set(connection, before, local=inside)


def _setting(connection: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        return str(cursor.fetchone()[0])


def _set(connection: Any, value: str, *, local: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, %s)", [value, local])


@contextmanager
def _on_sqlite(connection: Any, seconds: float) -> Iterator[IsOver]:
    raw, deadline = connection.connection, time.monotonic() + seconds
    outer = getattr(connection, "bounded_until", None)
    connection.bounded_until = end = min(deadline, outer or deadline)
    _watch(raw, end)
    try:
        yield lambda error: time.monotonic() >= end and "interrupted" in str(error)
    finally:
        connection.bounded_until = outer
        _watch(raw, outer)


def _watch(raw: Any, until: float | None) -> None:
    raw.set_progress_handler(None if until is None else lambda: time.monotonic() >= until, STEPS)
