"""The headers of our own messages, prefixed: others put a "chunk" or a "periodic_task_name" into theirs as well.

Messages that were under way when these headers got their prefix are known by several of the old names together.
"""

from typing import Any

from celery import current_app

PREFIX = "backoffice-"
CHUNK = f"{PREFIX}chunk"
RUN = f"{PREFIX}run"
SCHEDULE = f"{PREFIX}schedule"
FIRING = f"{PREFIX}firing"
ATTEMPT = f"{PREFIX}firing-attempt"


def of_chunk(chunk: int, run: int) -> dict[str, Any]:
    """By the old names, too: during an upgrade a worker of the version before would take it for a plain call."""
    return {CHUNK: chunk, RUN: run, "chunk": chunk, "run": run}


def of_firing(firing: int, attempt: int) -> dict[str, Any]:
    """By the old name, too: a worker of the version before starts a firing's run once because of it."""
    return {FIRING: firing, ATTEMPT: attempt, "firing": firing}


def chunk(request: Any) -> int | None:
    """The chunk that a message carries. Only a record task's message carries any."""
    task = current_app.tasks.get(_read(request, "task") or "")
    if not getattr(task, "takes_chunks", False):
        return None
    found = _number(request, CHUNK)
    if found is None and _number(request, "run") and _read(request, "ignore_result") is True:
        return _number(request, "chunk")
    return found


def of_chunk_in(given: Any) -> bool:
    """Whether a message that is to be sent carries a chunk."""
    return isinstance(given, dict) and CHUNK in given


def firing(request: Any) -> int | None:
    """The firing of a schedule that a message is from."""
    found = _number(request, FIRING)
    if found is None and _read(request, "celery_beat_task") is True and _read(request, "periodic_task_name"):
        return _number(request, "firing")
    return found


def attempt(request: Any) -> int | None:
    """Which of its firing's messages one is: they are counted from 1."""
    return _number(request, ATTEMPT)


def schedule(request: Any) -> str | None:
    """The name of the schedule that a message is from: our own beat's word, and nobody else's."""
    found = _read(request, "periodic_task_name" if _is_of_old(request) else SCHEDULE)
    return found if isinstance(found, str) else None


def _is_of_old(request: Any) -> bool:
    return _read(request, SCHEDULE) is None and firing(request) is not None


def _number(request: Any, name: str) -> int | None:
    found = _read(request, name)
    return found if type(found) is int else None


def _read(request: Any, name: str) -> Any:
    """Delivered headers are attributes of the request; eager calls keep them apart."""
    found = getattr(request, name, None)
    return found if found is not None else (getattr(request, "headers", None) or {}).get(name)
