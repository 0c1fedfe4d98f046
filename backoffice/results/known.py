"""What is known of a call whose end Celery stores without its request: of a chord's body, of a message it refuses."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from celery.app.task import Context

_calls: ContextVar[Mapping[str, Any]] = ContextVar("calls", default=MappingProxyType({}))


@contextmanager
def calls(found: Mapping[str, Any]) -> Iterator[None]:
    """Requests by task id, for what is stored inside the block."""
    before = _calls.set({**_calls.get(), **found})
    try:
        yield
    finally:
        _calls.reset(before)


def request_of(task_id: str, given: Any) -> Any:
    """The request at hand, unless it names no task and there is one that does."""
    return given if getattr(given, "task", None) else _calls.get().get(task_id, given)


def of_signatures(callback: Any) -> dict[str, Context]:
    """The calls in a signature: itself, the members of a group, the body of a chord."""
    found: dict[str, Context] = {}
    waiting = [callback]
    while waiting:
        signature = waiting.pop()
        kwargs = signature.get("kwargs") or {}
        waiting += kwargs.get("tasks") or () if signature.get("subtask_type") == "group" else ()
        waiting += [kwargs["body"]] if signature.get("subtask_type") == "chord" and kwargs.get("body") else ()
        if task_id := (signature.get("options") or {}).get("task_id"):
            found[task_id] = Context(task=signature.get("task"), args=signature.get("args"), kwargs=kwargs, id=task_id)
    return found
