"""Writing TaskResult rows: one statement, however many, and never backwards in state."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from . import bulk

FIELDS = (
    "task_id", "periodic_task_name", "task_name", "task_args", "task_kwargs", "status", "worker", "content_type",
    "content_encoding", "result", "date_created", "date_started", "date_done", "traceback", "meta",
)  # fmt: skip

_TABLE = TaskResult._meta.db_table
_TERMINAL = ", ".join(f"'{state}'" for state in sorted(states.READY_STATES))
# What a late or a partial message does not know must not wipe what is known.
_KEPT = ("periodic_task_name", "task_name", "task_args", "task_kwargs", "worker", "date_started")
_REPLACED = ("status", "content_type", "content_encoding", "result", "date_done", "traceback", "meta")
_OVERWRITE = (
    "ON CONFLICT (task_id) DO UPDATE SET "
    + ", ".join(f"{name} = COALESCE(excluded.{name}, {_TABLE}.{name})" for name in _KEPT)
    + ", "
    + ", ".join(f"{name} = excluded.{name}" for name in _REPLACED)
)
# SUCCESS stays; a terminal state gives way only to another terminal one (a redelivered FAILURE that then succeeds).
UPSERT = (
    _OVERWRITE
    + f" WHERE {_TABLE}.status <> 'SUCCESS'"
    + f" AND (excluded.status IN ({_TERMINAL}) OR {_TABLE}.status NOT IN ({_TERMINAL}))"
)


def write(rows: Sequence[Sequence[Any]]) -> None:
    """Upsert rows, each in the order of FIELDS."""
    bulk.insert(TaskResult, FIELDS, rows, conflict=UPSERT)


def overwrite(rows: Sequence[Sequence[Any]]) -> None:
    """Write rows whatever state is there: for the repair of a damaged table only."""
    bulk.insert(TaskResult, FIELDS, rows, conflict=_OVERWRITE)


def row(
    task_id: str,
    status: str,
    *,
    name: str | None = None,
    args: Any = None,
    kwargs: Any = None,
    worker: str | None = None,
    result: Any = None,
    traceback: str | None = None,
    started: datetime | None = None,
    now: datetime | None = None,
    periodic_task_name: str | None = None,
    meta: Mapping[str, Any] | None = None,
) -> tuple[Any, ...]:
    """One row in the order of FIELDS. `result` is what Celery's backend would store: for errors a mapping."""
    now = now or timezone.now()
    return (
        task_id,
        periodic_task_name,
        name,
        None if args is None else dumps(args),
        None if kwargs is None else dumps(kwargs) if kwargs else "{}",
        status,
        worker,
        "application/json",
        "utf-8",
        dumps(result),
        started or now,
        started or (now if status == states.STARTED else None),
        now,
        traceback,
        dumps(meta or {}),
    )


def meta(row: Sequence[Any]) -> str:
    """What Celery would keep in Redis for a row, made of the JSON that is in it."""
    task_id, _, name, args, kwargs, status, worker, _, _, result, _, _, done, traceback, _ = row
    when = f'"{done.isoformat()}"' if status in states.READY_STATES else "null"
    # The state stands first: the backend's script looks for it there.
    return (
        f'{{"status": "{status}", "result": {result}, "traceback": {_text(traceback)}, "children": [],'
        f' "date_done": {when}, "task_id": {_text(task_id)}, "name": {_text(name)}, "args": {args},'
        f' "kwargs": {kwargs}, "worker": {_text(worker)}}}'
    )


def _text(value: str | None) -> str:
    return "null" if value is None else dumps(value)


# One encoder for all: json.dumps makes a new one for each call that has options.
_encode = json.JSONEncoder(default=repr, ensure_ascii=False).encode


def dumps(value: Any) -> str:
    """JSON of anything: what JSON does not know is written as its repr. Postgres takes no NUL in text."""
    text = _encode(value)
    return text.replace("\\u0000", "\\ufffd") if "\\u0000" in text else text


def error(exc: BaseException) -> dict[str, Any]:
    """An exception as Celery's JSON result stores it."""
    kind = type(exc)
    return {"exc_type": kind.__qualname__, "exc_message": [str(arg) for arg in exc.args], "exc_module": kind.__module__}
