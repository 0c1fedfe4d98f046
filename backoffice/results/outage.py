"""Is the database away for a moment, or does it refuse this one thing for ever? By its code, not by the class."""

import sqlite3
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

DATABASE = (DatabaseError, InterfaceError)
# PostgreSQL: connection, transaction rolled back (deadlock), insufficient resources, operator intervention; lock not
# available. https://www.postgresql.org/docs/current/errcodes-appendix.html
CLASSES = {"08", "40", "53", "57"}
LOCK_NOT_AVAILABLE = "55P03"
SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,  # the locking protocol: WAL could not begin
}


def is_outage(exc: BaseException) -> bool:
    """Whether it passes by itself: a database, or a network, that is not there for a moment."""
    return _of_database(exc) if isinstance(exc, DATABASE) else isinstance(exc, ConnectionError | TimeoutError)


def is_refusal(exc: BaseException) -> bool:
    """Whether a database was there and said no: the same again would be refused again."""
    return isinstance(exc, DATABASE) and not _of_database(exc)


def by_driver(exc: BaseException) -> bool:
    """Whether a database's driver says so, and not code of a field's own that raises the same class."""
    return exc.__cause__ is not None


def sqlstate(exc: BaseException) -> str:
    """PostgreSQL's code, or nothing: whoever raises such an error may call anything so."""
    state = getattr(_of_driver(exc), "sqlstate", None)
    return state if isinstance(state, str) else ""


def _of_driver(exc: BaseException) -> Any:
    return exc if exc.__cause__ is None else exc.__cause__


def _of_database(exc: BaseException) -> bool:
    error = _of_driver(exc)
    if state := sqlstate(exc):
        return state[:2] in CLASSES or state == LOCK_NOT_AVAILABLE
    if isinstance(code := getattr(error, "sqlite_errorcode", None), int):
        return code & 0xFF in SQLITE  # the rest says more of the same
    # Without a code: the driver found the connection closed, or could not make one.
    return isinstance(exc, OperationalError) or (
        isinstance(exc, InterfaceError) and not isinstance(error, sqlite3.Error)
    )
