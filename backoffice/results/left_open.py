"""A transaction that a task left open: whatever its process wrote after it, the outcome too, would never be committed.

Nobody else ends it, and on PostgreSQL the main process itself would wait for its locks for ever.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

BEGUN = {1, 2, 3}  # of libpq's transaction states: active, in a transaction, in a failed one


class LeftOpenError(Exception):
    """The task's own error: what it wrote in there is undone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} left a transaction open, which is undone: end each by a commit or a rollback.")


def closed_behind[**P, T](django: Any, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the work returns. Raises LeftOpenError where it left a transaction on Django's connection; the caller's own
    is not its fault."""
    if _is_open(django):
        return work(*args, **kwargs)
    try:
        given = work(*args, **kwargs)
    except BaseException:
        undo()
        raise
    if _is_open(django) and undo():
        raise LeftOpenError(getattr(work, "__name__", "The task"))
    return given


def closed_inside[**P, T](work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same inside a block of the caller's, which goes on: what was left open in there is undone alone."""
    blocks: list[Any] = connections[DEFAULT_DB_ALIAS].atomic_blocks
    depth, error = len(blocks), LeftOpenError(getattr(work, "__name__", "The task"))
    try:
        given = work(*args, **kwargs)
        if len(blocks) > depth:
            raise error
    finally:
        for left in reversed(blocks[depth:]):
            left.__exit__(LeftOpenError, error, None)
    return given


def is_open() -> bool:
    """Whether this thread's connection is inside a transaction: Django's, or one begun by hand."""
    return _is_open(connections[DEFAULT_DB_ALIAS])


def _is_open(django: Any) -> bool:
    raw: Any = django.connection
    if raw is None:
        return False
    if django.in_atomic_block or not django.autocommit:
        return True
    return raw.in_transaction if isinstance(raw, sqlite3.Connection) else raw.pgconn.transaction_status in BEGUN


def undo() -> bool:
    """Close the connection if it is inside a transaction. Returns whether it was."""
    if not is_open():
        return False
    django = connections[DEFAULT_DB_ALIAS]
    django.in_atomic_block = False  # else Django takes whoever asks next for the block's own code
    django.close()
    return True
