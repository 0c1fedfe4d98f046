"""A deadlock as PostgreSQL ends it, forced before each statement in turn of whatever is struck."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.servers import wait_until
from tests.workers import database_url

OURS, THEIRS = 71, 72
WAITS = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {OURS} AND NOT granted"


class Opponent:
    """Makes this session a victim before the `at`-th statement that it runs inside a transaction."""

    def __init__(self, at: int) -> None:
        self.left, self.struck = at, False

    def __call__(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if connection.in_atomic_block and not self.struck:
            self.left -= 1
            if self.left == 0:
                self.struck = True
                self.strike()
        return execute(sql, parameters, many, context)

    def strike(self) -> None:
        own = connection.connection  # below the wrappers of Django, but for what turns errors into Django's
        thread = threading.Thread(target=self.wait_for_us)
        with connection.wrap_database_errors:
            own.execute("SET LOCAL deadlock_timeout = '1ms'")
            own.execute(f"SELECT pg_advisory_xact_lock({OURS})")
            thread.start()
            wait_until(lambda: own.execute(WAITS).fetchone(), 10, what="the other session's wait")
            try:
                own.execute(f"SELECT pg_advisory_xact_lock({THEIRS})")
            except psycopg.errors.DeadlockDetected:
                own.execute("ROLLBACK")  # as soon as it is the victim its locks are free: the other goes on
                raise
            finally:
                thread.join(10)
        raise AssertionError("no deadlock came about")

    def wait_for_us(self) -> None:
        with psycopg.connect(database_url()) as other:
            other.execute("SET deadlock_timeout = '60s'")
            other.execute(f"SELECT pg_advisory_xact_lock({THEIRS})")
            other.execute(f"SELECT pg_advisory_xact_lock({OURS})")


def strikes() -> Iterator[AbstractContextManager[None]]:
    """One for each statement in turn that is run in a transaction within it, and a last one that nothing meets."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer, and no deadlocks")
    for at in range(1, 200):
        opponent = Opponent(at)
        yield connection.execute_wrapper(opponent)
        if not opponent.struck:
            break
    assert at > 1, "it was never struck"
