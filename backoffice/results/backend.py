"""The Redis result backend, mirrored: every outcome of every task is also a TaskResult row.

Redis answers first. Where it lost a key (a flush, an eviction, a restart) the row answers. Neither store's failure
hides the other's success, and neither changes what became of the task.
"""

import logging
from collections.abc import Sequence
from typing import Any

from celery import current_app, current_task, states
from celery.backends.redis import RedisBackend
from django.db import connection
from django_celery_results.models import TaskResult
from kombu.exceptions import DecodeError, EncodeError
from kombu.utils.uuid import uuid
from redis.exceptions import RedisError

from . import left_open, rows, spool
from .message import headers, known
from .outage import DATABASE
from .values import redaction
from .values.text import key

logger = logging.getLogger(__name__)

# One command and one reply for a chunk: packing two commands a record and parsing their replies costs the worker more
# than its database writes. A subscriber sees what plain SET and PUBLISH would show it.
SET_AND_PUBLISH = """
for at, key in ipairs(KEYS) do
    local value = ARGV[at + 1]
    if ARGV[1] == '0' then redis.call('SET', key, value) else redis.call('SET', key, value, 'EX', ARGV[1]) end
    redis.call('PUBLISH', key, value)
end
"""

# The state stands first in what Celery and the ledger write; whatever else there may be is decoded, or is no state.
SET_UNLESS_SETTLED = """
local held = redis.pcall('GET', KEYS[1])
if type(held) == 'string' then
    local state = string.match(held, '^{"status": ?"([^"]+)"')
    if not state then
        local read, meta = pcall(cjson.decode, held)
        state = read and type(meta) == 'table' and meta['status']
    end
    local strength = ({REVOKED = 1, FAILURE = 2, SUCCESS = 3})[state] or 0
    if strength == 3 or strength > tonumber(ARGV[3]) then return 0 end
end
if ARGV[1] == '0' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1]) end
redis.call('PUBLISH', KEYS[1], ARGV[2])
return 1
"""


def carries_items(request: Any) -> bool:
    """Whether a message carries a run's items: their outcomes are written one by one, the message's own nowhere."""
    return headers.chunk(request) is not None


def _is_passing_and_ignored(request: Any, state: str) -> bool:
    """Whether a task ignores its result and has come to no end: of such only an end in failure is kept."""
    if state in (states.FAILURE, states.REVOKED) or request is None:
        return False
    task = current_app.tasks.get(getattr(request, "task", None) or "")
    return bool(getattr(request, "ignore_result", None) or getattr(task, "ignore_result", False))


def _is_first(request: Any) -> bool:
    """Whether Redis can hold nothing about a task that begins: no earlier try, no progress of a lost one."""
    info = getattr(request, "delivery_info", None) or {}
    return request is not None and not request.retries and not info.get("redelivered")


def _is_at_hand(request: Any) -> bool:
    """Whether it is the message whose work has just ended in this process, and not another one that is told of.

    An eager call is none: the transaction that it ends in is its caller's.
    """
    here = request is not None and bool(current_task) and current_task.request_stack.top is request
    return here and not request.is_eager


class MirroredRedisBackend(RedisBackend):
    def on_task_call(self, producer: Any, task_id: str) -> dict[str, Any]:
        # Stock Celery subscribes to every result at publish: 19 s of retries when Redis is away, and nobody waiting.
        # .get() subscribes by itself when it begins to wait.
        return {}

    def get_key_for_task(self, task_id: Any, key: Any = "") -> Any:
        return super().get_key_for_task(task_id and _key(task_id), key)

    def mark_as_done(self, task_id: Any, result: Any, request: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The end of a task's work. Raises LeftOpenError, of which Celery makes its failure."""
        if _is_at_hand(request) and left_open.undo():
            raise left_open.LeftOpenError(request.task)
        return super().mark_as_done(task_id, result, request, *args, **kwargs)

    def mark_as_failure(self, task_id: Any, exc: Any, *args: Any, request: Any = None, **kwargs: Any) -> Any:
        if _is_at_hand(request):
            left_open.undo()
        return super().mark_as_failure(task_id, exc, *args, request=request, **kwargs)

    def mark_as_retry(self, task_id: Any, exc: Any, *args: Any, request: Any = None, **kwargs: Any) -> Any:
        if _is_at_hand(request):
            left_open.undo()
        return super().mark_as_retry(task_id, exc, *args, request=request, **kwargs)

    def _store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        request = known.request_of(task_id, request)
        if carries_items(request) or _is_passing_and_ignored(request, state):
            return result
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        meta["task_id"] = task_id
        redaction.redact(meta)
        value = self._encoded(meta)  # before either store: what is no JSON fails in both
        row = self._row(meta, request)
        written = self._mirror(row)
        mirrored = written is not None
        if mirrored and state == states.STARTED and _is_first(request):
            return result  # the row tells; a key would be replaced by the outcome, mostly within milliseconds
        try:
            if written == 0 and (better := _kept(row[0])):
                self.remember_row(better)  # who wrote it may have died before Redis knew
            else:
                self._remember(task_id, meta["status"], value)
            if not mirrored:
                spool.for_database(self.client, row)
        except RedisError:
            if not mirrored:
                raise
            logger.warning("Redis did not take the result of %s; its row is written.", task_id, exc_info=True)
            spool.for_redis(row[0])
        return result

    def _encoded(self, meta: dict[str, Any]) -> Any:
        """As Redis keeps it. Raises EncodeError for a result that cannot be kept; arguments are then described."""
        try:
            value = self.encode(meta)
        except EncodeError:
            if meta["status"] == states.SUCCESS:
                self.encode(meta["result"])
            meta |= {name: rows.loads(rows.dumps(meta[name])) for name in ("args", "kwargs") if name in meta}
            value = self.encode(meta)
        if '"__type__"' in value:
            self._look(value)
        if len(value) > self._MAX_STR_VALUE_SIZE:
            raise EncodeError(f"The result of {meta['task_id']} has {len(value)} characters: too many for Redis.")
        return value

    def _look(self, value: Any) -> None:
        """A result may look like a value that JSON has no word for, and be none: nobody could read it back."""
        try:
            self.decode(value)
        except DecodeError as exc:
            raise EncodeError(f"The result has a mapping with a __type__ that it is not: {exc}") from exc

    def _mirror(self, row: tuple[Any, ...]) -> int | None:
        """How many rows were written: none where a better one is there. None when the database did not take it."""
        try:
            return rows.write([row])
        except Exception:
            # An error here must not become the task's: Celery would store FAILURE for work that succeeded.
            logger.exception("The database did not take the result of task %s; it waits in Redis.", row[0])
            connection.close_if_unusable_or_obsolete()
            return None

    def _row(self, meta: dict[str, Any], request: Any) -> tuple[Any, ...]:
        return rows.row(
            _key(meta["task_id"]),
            meta["status"],
            name=meta.get("name"),
            args=meta.get("args"),
            kwargs=meta.get("kwargs"),
            worker=meta.get("worker"),
            result=meta["result"],
            traceback=meta.get("traceback"),
            periodic_task_name=headers.schedule(request),
            meta={"children": meta.get("children") or [], "queue": meta.get("queue"), "retries": meta.get("retries")},
        )

    def _remember(self, task_id: str, state: str, value: Any) -> None:
        """Set the key, unless it holds a state this one must not overwrite (see rows.UPSERT)."""
        expires = self.failure_expires if state == states.FAILURE else self.expires
        strength = rows.STRENGTH.get(state, 0)
        script = self.client.register_script(SET_UNLESS_SETTLED)
        self.ensure(script, ([self.get_key_for_task(task_id)], [int(expires or 0), value, strength]))

    def chord_error_from_stack(self, callback: Any, exc: Any = None) -> Any:
        """Celery fails a chord's body without saying what it was."""
        if callback["subtask_type"] != "group":
            callback["options"]["task_id"] = callback["options"].get("task_id") or uuid()
        with known.calls(known.of_signatures(callback)):
            return super().chord_error_from_stack(callback, exc)

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        try:
            meta: dict[str, Any] = super()._get_task_meta_for(task_id)
        except RedisError:
            found = self._from_row(task_id)
            if found is None:
                raise
            return found
        if meta["status"] == states.SUCCESS:
            return meta
        # Redis lost the key, or was away when the task ended; or its writer died before Redis knew.
        found = self._from_row(task_id)
        known, told = (rows.STRENGTH.get(state, 0) for state in (meta["status"], found and found["status"]))
        return found if found and (told > known or meta["status"] == states.PENDING) else meta

    def _from_row(self, task_id: str) -> dict[str, Any] | None:
        row = _kept(_key(task_id))
        return None if row is None else self.meta_from_decoded(_meta_of(row))

    def remember_row(self, row: TaskResult) -> None:
        """Tell Redis what a row says, unless it knows better. Raises RedisError."""
        self._remember(row.task_id, row.status, self._encoded(_meta_of(row)))

    def remember_many(self, written: Sequence[tuple[Any, ...]]) -> None:
        """Store the outcomes of a chunk's items, given as their rows, in one round trip; wake who waits for one."""
        keys = [self.task_keyprefix + row[0].encode() for row in written]
        values = [rows.meta(row) for row in written]
        self.client.register_script(SET_AND_PUBLISH)(keys=keys, args=[int(self.expires or 0), *values])


def _kept(task_id: str) -> TaskResult | None:
    """The row of a task. None also where the database does not answer."""
    try:
        return TaskResult.objects.filter(task_id=task_id).first()
    except DATABASE:
        logger.warning("TaskResult could not be read for %s.", task_id, exc_info=True)
        return None


def _meta_of(row: TaskResult) -> dict[str, Any]:
    """A row as Redis would hold it: the state first, as the backend's script looks for it there."""
    extra = rows.loads(row.meta)
    extra = extra if isinstance(extra, dict) else {}
    return {
        "status": row.status,
        "task_id": row.task_id,
        "result": rows.loads(row.result),
        "traceback": row.traceback,
        "children": extra.get("children") or [],
        "date_done": row.date_done.isoformat(),
        "name": row.task_name,
        "args": rows.loads(row.task_args),
        "kwargs": rows.loads(row.task_kwargs),
        "worker": row.worker,
        "retries": extra.get("retries"),
        "queue": extra.get("queue"),
    }


def _key(task_id: Any) -> str:
    """The id under which row and key are kept and found: as long as a column, and storable."""
    return key(task_id.decode(errors="backslashreplace") if isinstance(task_id, bytes) else str(task_id))
