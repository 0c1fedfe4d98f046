"""Two processes at once, as threads with a connection each: side by side, or one held at a point of its way."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from tests.servers import wait_until

PATIENCE = 30.0  # seconds


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What each returns; all begin together."""
    start = threading.Barrier(len(steps), timeout=PATIENCE)

    def begin(step: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        start.wait()
        return on_its_own(step)

    with ThreadPoolExecutor(len(steps)) as pool:
        return [each.result(PATIENCE) for each in [pool.submit(begin, step) for step in steps]]


def on_its_own(step: Callable[[], Any]) -> Any:
    try:
        return step()
    finally:
        connection.close()


def beside(step: Callable[[], Any]) -> Any:
    """Do it now, to its end, as another process would: in the middle of what this one does."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(on_its_own, step).result(PATIENCE)


class Held:
    """A step of another process that waits where it is told to until it may go on."""

    def __init__(self) -> None:
        self.here, self.go = threading.Event(), threading.Event()
        self.future: Future[Any]

    def wait(self) -> None:
        self.here.set()
        assert self.go.wait(PATIENCE), "held for too long"

    def finish(self) -> Any:
        self.go.set()
        return self.future.result(PATIENCE)


@contextmanager
def held(step: Callable[[], Any], owner: Any, name: str, *, after: bool = False) -> Iterator[Held]:
    """Begin a step in another thread; it stops before (or after) it calls `owner.name`, while the block goes on."""
    there, original = Held(), getattr(owner, name)

    def stopping(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != there.thread or there.here.is_set():
            return original(*args, **kwargs)
        if not after:
            there.wait()
        result = original(*args, **kwargs)
        if after:
            there.wait()
        return result

    def begin() -> Any:
        there.thread = threading.get_ident()
        return on_its_own(step)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(owner, name, stopping)
        there.future = pool.submit(begin)
        try:
            wait_until(lambda: there.here.is_set() or there.future.done(), what=f"a step held at {name}")
            yield there
        finally:
            there.go.set()
        there.future.result(PATIENCE)


def wait_until_locked(step: Future[Any]) -> None:
    """The other process waits for a lock, or has come through. SQLite's writers wait where nobody can see it."""

    def waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return step.done() or bool(cursor.fetchone()[0])

    if connection.vendor == "sqlite":
        return

    wait_until(waiting, what="a session waiting for a lock")


@contextmanager
def begun(step: Callable[[], Any]) -> Iterator[Future[Any]]:
    """A step of another process, on its way while the block goes on."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(on_its_own, step)
        yield future
        future.result(PATIENCE)
