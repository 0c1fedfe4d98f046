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
    """The calls in a signature: itself, the members of a group or a chain, the body of a chord."""
    found: dict[str, Context] = {}
    waiting = [callback]
    while waiting:
        signature = waiting.pop()
        kwargs = signature.get("kwargs") or {}
        waiting += kwargs.get("tasks") or () if signature.get("subtask_type") in ("group", "chain") else ()
        waiting += [kwargs["body"]] if signature.get("subtask_type") == "chord" and kwargs.get("body") else ()
        if task_id := (signature.get("options") or {}).get("task_id"):
            found[task_id] = Context(task=signature.get("task"), args=signature.get("args"), kwargs=kwargs, id=task_id)
    return found


def of_message(message: Any) -> dict[str, Context]:
    """The call in a message that cannot be worked on, as far as it can be read."""
    headers = message.headers if isinstance(message.headers, Mapping) else {}
    try:
        args, kwargs, embed = message.payload
    except Exception:  # whatever it is
        args, kwargs, embed = None, None, None
    told = dict(headers) | (dict(embed) if isinstance(embed, Mapping) else {})
    told |= {"args": args, "kwargs": kwargs, "delivery_info": message.delivery_info or {}, "stamps": None}
    told["task"] = name if isinstance(name := headers.get("task"), str) else None
    task_id = headers.get("id")
    return {task_id: Context(told)} if isinstance(task_id, str) and task_id else {}
