"""Writing outcomes: items, TaskResult, run counts and Redis, through one door."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from backoffice.results import activity, bulk, rows

from .. import ids
from ..change import keep
from ..change.restore import Moved
from ..counting import groups
from ..counting import keep as tallies
from ..models import TERMINAL, Chunk, Event, Run, RunItem, State
from . import events

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Transition:
    """What became of one item."""

    record_id: int
    state: State
    outcome: str = ""
    error: str = ""
    result: Any = None  # as Celery stores it: a text, or a mapping for an exception
    traceback: str | None = None
    retries: int = 0
    due_at: datetime | None = None
    started_at: datetime | None = None
    values: Sequence[Any] = ()  # of the fields its record task writes, and the id
    row: tuple[Any, ...] | None = None  # of TaskResult, where it was made before the transaction
    moved: Moved | None = None  # why an undo left the record alone


REVOKED = {"exc_type": "TaskRevokedError", "exc_message": ["revoked"], "exc_module": "celery.exceptions"}
ITEM_FIELDS = ("state", "active", "chunk_id", "retries", "due_at", "finished_at", "outcome", "error", "alike")


class Lost(Exception):
    """The chunk is no longer ours: somebody took it for dead. Nothing may be written."""


def write(run: Run, transitions: Sequence[Transition], worker: str, *, owner: int | None) -> None:
    """Write what became of items owned by `owner` (a chunk's id; None: of items nobody owns), in the caller's
    transaction: items, TaskResult rows, the run's counts and tallies. Redis is told after the commit.

    Call it last: it locks the run's row, and closes the run when nothing is left. Raises Lost when an item is not as
    expected: the transaction must then be undone.
    """
    failed = tallies.failures(run, transitions)
    if transitions:
        now = timezone.now()
        _write_items(run, transitions, owner, now, failed)
        keep.save_left_alone(run, [(t.record_id, t.moved) for t in transitions if t.moved])
        add_rows(run, transitions, worker, now)
        written = [t.row for t in transitions if t.row]
        rows.write(written)
        transaction.on_commit(partial(tell_redis, run, written))
    _count(run, transitions, failed)


def _write_items(
    run: Run, transitions: Sequence[Transition], owner: int | None, now: datetime, failed: Mapping[int, groups.Alike]
) -> None:
    alike = {record_id: each.fingerprint for record_id, each in failed.items()}
    if owner is None:
        keys: tuple[str, ...] = ("run", "record_id")
        held: tuple[Any, ...] = ()
        where = "runs_runitem.chunk_id IS NULL AND runs_runitem.state IN ('PENDING', 'RETRY')"
    else:
        keys, held, where = ("run", "record_id", "chunk_id", "state"), (owner, State.STARTED), ""
    changes = [
        (t.state, t.state not in TERMINAL, None, t.retries, t.due_at, now if t.state in TERMINAL else None,
         t.outcome, t.error, alike.get(t.record_id), run.pk, t.record_id, *held)
        for t in transitions
    ]  # fmt: skip
    changed = bulk.update(RunItem, ITEM_FIELDS, keys, changes, where=where)
    if changed != len(transitions):
        raise Lost(f"{len(transitions) - changed} of {len(transitions)} items of run {run.pk} are no longer ours")


def _count(run: Run, transitions: Sequence[Transition], failed: Mapping[int, groups.Alike]) -> None:
    """Add to the run's counts; without any, read what others have written: a cancel, say."""
    states = [t.state for t in transitions]
    Run.objects.filter(pk=run.pk).update(
        succeeded=F("succeeded") + states.count(State.SUCCESS),
        failed=F("failed") + states.count(State.FAILURE),
        revoked=F("revoked") + states.count(State.REVOKED),
        conflicts=F("conflicts") + sum(t.moved is not None for t in transitions),
    )
    tallies.add(run, transitions, failed)
    run.refresh_from_db(
        fields=("total", "succeeded", "failed", "revoked", "cursor", "sliced", "state", "cancelled_at", "finished_at",
                "conflicts")
    )  # fmt: skip
    if run.open_items <= 0:
        close(run)


def close(run: Run) -> None:
    """Give a run whose items are all terminal its own terminal state, once. Its chunks go with it."""
    won = Run.objects.filter(pk=run.pk, finished_at=None).update(
        finished_at=timezone.now(),
        state=Case(
            When(failed__gt=0, then=Value(State.FAILURE)),
            When(revoked__gt=F("conflicts"), then=Value(State.REVOKED)),
            default=Value(State.SUCCESS),
        ),
    )
    if won:
        note_end(run)
    # Of a message that finds no chunk nothing comes; one that is left would be sent for ever. After the commit: chunks
    # are locked before the run's row, and whoever made one of an item that was open has committed by now.
    transaction.on_commit(partial(drop_chunks, run.pk), robust=True)


def note_end(run: Run) -> None:
    """Where others hear of it, and in the log, with whoever asked for it. In the transaction that ended it."""
    events.write(Event.Kind.RUN_FINISHED, run)
    cancelled = run.revoked - run.conflicts
    came_to = {"succeeded": run.succeeded, "failed": run.failed, "cancelled": cancelled, "left_alone": run.conflicts}
    told = {name: value for name, value in ({"schedule": run.schedule_name} | came_to).items() if value}
    activity.log(activity.Person(run.requester_name, run.requester_id), "run.finished", run, task=run.task.name, **told)


def drop_chunks(run_id: int) -> None:
    Chunk.objects.filter(run=run_id)._raw_delete("default")


def tell_redis(run: Run, written: Sequence[tuple[Any, ...]]) -> None:
    """Put committed outcomes, given as their rows, into Redis. If Redis is away, the rows answer for it."""
    try:
        current_app.backend.remember_many(written)
    except Exception:  # whatever it is: the outcomes are committed
        logger.warning("Redis did not take %d results of run %s.", len(written), run.pk, exc_info=True)


def add_rows(run: Run, transitions: Iterable[Transition], worker: str, now: datetime | None = None) -> None:
    """Give those that have none yet their TaskResult row."""
    common = rows.Common(
        name=run.task.name, worker=worker or None, periodic_task_name=run.schedule_name or None, now=now
    )
    pk, uid = run.pk, run.uid
    for bare in transitions:
        if bare.row is None:
            bare.row = common.row(
                ids.item_task_id(uid, bare.record_id),
                str(bare.state),
                args=f"[{bare.record_id}]",
                kwargs="{}",
                result=rows.dumps(bare.result),
                traceback=bare.traceback,
                started=bare.started_at,
                meta=f'{{"children": [], "run": {pk}, "outcome": {rows.dumps(bare.outcome)}}}',
            )
