"""Calls that wait for the commit of the transaction around them: a worker cannot see what that has written."""

from collections.abc import Callable
from typing import Any

from celery import uuid
from celery.result import AsyncResult
from django.db import connection, transaction


class NotSent(RuntimeError):
    """Nobody works on a call before it is sent: whoever waited for its result would wait for ever."""

    def __init__(self, task_id: str) -> None:
        super().__init__(
            f"Call {task_id} was made inside a transaction and is sent when that is committed; rolled back, never. "
            "Ask for the result after the commit, outside of atomic()."
        )


class Waiting(AsyncResult):
    """What a call that waits for a commit gives its caller."""

    sent = True  # of a copy elsewhere nobody knows better

    def get(self, *args: Any, **kwargs: Any) -> Any:
        if not self.sent:
            raise NotSent(self.id)
        return super().get(*args, **kwargs)

    wait = get


def is_ahead() -> bool:
    """Whether this code is inside a transaction. Not the one that Django's TestCase puts around a test, which is never
    committed: what is tested has none of its own, and Django's durable=True sees it so, too."""
    blocks: list[Any] = connection.atomic_blocks
    if blocks:
        return not blocks[-1]._from_testcase
    return connection.connection is not None and not connection.autocommit


def after(send: Callable[[str], object], task_id: str | None, app: Any) -> Waiting:
    """Send by `send(task_id)` after the commit. Raises what on_commit() does where a transaction is ended by hand."""
    result = Waiting(task_id or uuid(), app=app)
    result.sent = False

    def send_now() -> None:
        send(result.id)
        result.sent = True

    transaction.on_commit(send_now)
    return result
