"""Writing TaskResult rows: one statement, however many, and never backwards in state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu.utils import json as kombu

from . import bulk
from .values.text import key, said, storable

FIELDS = (
    "task_id", "periodic_task_name", "task_name", "task_args", "task_kwargs", "status", "worker", "content_type",
    "content_encoding", "result", "date_created", "date_started", "date_done", "traceback", "meta",
)  # fmt: skip

TIMES = ("date_created", "date_started", "date_done")
LONGEST = {name: TaskResult._meta.get_field(name).max_length for name in FIELDS}
MESSAGE = 20_000  # characters kept of each argument of an exception

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
# SUCCESS stays. A terminal state gives way only to another terminal one (a redelivered FAILURE that then succeeds), and
# FAILURE not to REVOKED: whatever the order in which a child and the main process that revokes it write, both stores
# end alike.
UPSERT = (
    _OVERWRITE
    + f" WHERE {_TABLE}.status <> 'SUCCESS'"
    + f" AND (excluded.status IN ({_TERMINAL}) OR {_TABLE}.status NOT IN ({_TERMINAL}))"
    + f" AND NOT (excluded.status = 'REVOKED' AND {_TABLE}.status = 'FAILURE')"
)
STRENGTH = {states.REVOKED: 1, states.FAILURE: 2, states.SUCCESS: 3}  # the same, for who compares states in Python


def write(rows: Sequence[Sequence[Any]]) -> int:
    """Upsert rows in the order of FIELDS. Returns how many were written: where a better state is there, none."""
    return bulk.insert(TaskResult, FIELDS, rows, conflict=UPSERT)


def overwrite(rows: Sequence[Sequence[Any]]) -> None:
    """Write rows whatever state is there: for the repair of a damaged table only."""
    bulk.insert(TaskResult, FIELDS, rows, conflict=_OVERWRITE)


class Common:
    """What the rows of one task, worker and moment have in common, made storable once for all of them."""

    def __init__(
        self, *, name: str | None, worker: str | None, periodic_task_name: str | None, now: datetime | None = None
    ) -> None:
        self.name, self.worker = _fit("task_name", name), _fit("worker", worker)
        self.periodic_task_name = _fit("periodic_task_name", periodic_task_name)
        self.now = now or timezone.now()

    def row(
        self, task_id: str, status: str | None, *, args: str | None, kwargs: str | None, result: str, meta: str,
        traceback: str | None, started: datetime | None,
    ) -> tuple[Any, ...]:  # fmt: skip
        """One row in the order of FIELDS; what columns hold as JSON is given as that."""
        return (
            key(task_id, LONGEST["task_id"]),
            self.periodic_task_name,
            self.name,
            args,
            kwargs,
            status,
            self.worker,
            "application/json",
            "utf-8",
            result,
            started or self.now,
            started or (self.now if status == states.STARTED else None),
            self.now,
            _fit("traceback", traceback),
            meta,
        )


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
    """One row in the order of FIELDS, storable whatever is in it. `result` is what Celery's backend would store: for
    errors a mapping."""
    return Common(name=name, worker=worker, periodic_task_name=periodic_task_name, now=now).row(
        task_id,
        _fit("status", status),
        args=None if args is None else dumps(args),
        kwargs=None if kwargs is None else dumps(kwargs) if kwargs else "{}",
        result=dumps(result),
        traceback=traceback,
        started=started,
        meta=dumps(meta or {}),
    )


def fit(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row made before, or by another hand, as `row` makes it now."""
    known = dict(zip(FIELDS, row, strict=True))
    texts = {name: _fit(name, value) for name, value in known.items() if name not in TIMES}
    return tuple({**known, **texts, "task_id": key(said(known["task_id"]), LONGEST["task_id"])}.values())


def _fit(column: str, value: Any) -> str | None:
    return None if value is None else storable(value if isinstance(value, str) else said(value), LONGEST[column])


def meta(row: Sequence[Any]) -> str:
    """What Celery would keep in Redis for a row, made of the JSON that is in it."""
    task_id, _, name, args, kwargs, status, worker, _, _, result, _, _, done, traceback, _ = row
    when = f'"{_moment(done)}"' if status in states.READY_STATES else "null"
    # The state stands first: the backend's script looks for it there.
    return (
        f'{{"status": "{status}", "result": {result}, "traceback": {_text(traceback)}, "children": [],'
        f' "date_done": {when}, "task_id": {_text(task_id)}, "name": {_word(name)}, "args": {args},'
        f' "kwargs": {kwargs}, "worker": {_word(worker)}}}'
    )


def _text(value: str | None) -> str:
    return "null" if value is None else dumps(value)


# The same in each row of a chunk.
_word = lru_cache(_text)
_moment = lru_cache(datetime.isoformat)


class Encoder(kombu.JSONEncoder):
    """Celery's own, so that both stores give the same values back. What it has no word for is described."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return _described(o)


# One encoder for all: json.dumps makes a new one for each call that has options.
_encode = Encoder(ensure_ascii=False).encode


def dumps(value: Any) -> str:
    """JSON of anything. Lone surrogates stand in it as JSON's own escapes, as NUL does: read again they are they."""
    try:
        return storable(_encode(value))
    except Exception:  # no key of a mapping, a circle, too deep, or the value's own code
        return storable(_encode(_described(value)))


def loads(text: str | None) -> Any:
    """What a JSON column holds; other text, from before or by another hand, as it is."""
    try:
        return kombu.loads(text or "null")
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):
        return text


def _described(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # whose code it is, we do not know
        return said(value)


def error(exc: BaseException) -> dict[str, Any]:
    """An exception as Celery's JSON result stores it."""
    kind = type(exc)
    message = [storable(said(arg), MESSAGE) for arg in exc.args]
    return {"exc_type": kind.__qualname__, "exc_message": message, "exc_module": kind.__module__}
