"""Ledger against TaskResult against Redis: how far they differ, and the ledger's word written into all three.

Looks at the runs of the time for which results are kept: before that TaskResult and Redis may have let go of theirs.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django_celery_results.models import TaskResult
from redis.exceptions import RedisError

from backoffice.results import rows

from . import ledger, verbs
from .models import TERMINAL, Chunk, Run, RunItem, State
from .registry import find

BATCH = 1_000  # items compared at a time
SETTLED = timedelta(seconds=10)  # Redis is told after the commit: an item younger than that may still be on its way


@dataclass(slots=True)
class Drift:
    compared: int = 0
    rows_missing: int = 0  # terminal items without a TaskResult row
    rows_wrong: int = 0  # TaskResult rows that say another state
    redis_wrong: int = 0  # keys in Redis that say another state; a key that is gone is none: the row answers for it
    redis_unknown: bool = False  # Redis did not answer
    orphans: int = 0  # items STARTED for a chunk that is no more
    runs_wrong: int = 0  # runs whose counts or end are not those of their items

    @property
    def total(self) -> int:
        return self.rows_missing + self.rows_wrong + self.redis_wrong + self.orphans + self.runs_wrong

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def measure(*, repair: bool = False) -> Drift:
    """Compare, a batch at a time; with `repair` write what differs as the ledger has it."""
    drift = Drift()
    since = timezone.now() - timedelta(seconds=settings.CELERY_RESULT_EXPIRES)
    recent = Run.objects.filter(Q(finished_at=None) | Q(finished_at__gte=since)).select_related("task")
    for run in recent.order_by("pk").iterator(chunk_size=100):
        _orphans(run, drift, repair)
        for items in _batches(run):
            _compare(run, items, drift, repair)
        _counts(run, drift, repair)
    return drift


def _batches(run: Run) -> Iterator[list[RunItem]]:
    after: int | None = None
    settled = timezone.now() - SETTLED
    while True:
        page = RunItem.objects.of(run).filter(state__in=TERMINAL, finished_at__lt=settled).order_by("record_id")
        items = list((page if after is None else page.filter(record_id__gt=after))[:BATCH])
        if items:
            yield items
        if len(items) < BATCH:
            return
        after = items[-1].record_id


def _compare(run: Run, items: list[RunItem], drift: Drift, repair: bool) -> None:
    ids = {item.record_id: run.item_task_id(item.record_id) for item in items}
    kept = dict(TaskResult.objects.filter(task_id__in=ids.values()).values_list("task_id", "status"))
    told = _in_redis(list(ids.values()), drift)
    drift.compared += len(items)
    missing = [item for item in items if ids[item.record_id] not in kept]
    wrong = [item for item in items if kept.get(ids[item.record_id], item.state) != item.state]
    stale = [item for item in items if told.get(ids[item.record_id], item.state) != item.state]
    drift.rows_missing += len(missing)
    drift.rows_wrong += len(wrong)
    drift.redis_wrong += len(stale)
    if repair:
        rows.overwrite([ledger.row(run, _verdict(run, item), "") for item in (*missing, *wrong)])
        ledger.remember(run, [_verdict(run, item) for item in stale], "")


def _in_redis(task_ids: list[str], drift: Drift) -> dict[str, str]:
    backend = current_app.backend
    try:
        held = backend.mget([backend.get_key_for_task(task_id) for task_id in task_ids])
    except (RedisError, OSError):
        drift.redis_unknown = True
        return {}
    return {
        task_id: backend.decode(value)["status"] for task_id, value in zip(task_ids, held, strict=True) if value
    }  # fmt: skip


def _verdict(run: Run, item: RunItem) -> ledger.Verdict:
    """The item's outcome as its worker would have written it, short of the traceback."""
    kind, _colon, text = item.error.partition(": ")
    result: Any = {"exc_type": kind if text else "Exception", "exc_message": [text or kind], "exc_module": "builtins"}
    if item.state == State.SUCCESS:
        try:
            result = find(run.task.name).done.format(id=item.record_id)
        except LookupError:
            result = item.outcome
    elif item.state == State.REVOKED:
        result = verbs.REVOKED
    return ledger.Verdict(
        item.record_id, State(item.state), outcome=item.outcome, error=item.error, result=result,
        retries=item.retries, started_at=item.started_at,
    )  # fmt: skip


def _orphans(run: Run, drift: Drift, repair: bool) -> None:
    """Items whose chunk is gone without them: nobody would ever come for these."""
    holder = Chunk.objects.filter(pk=OuterRef("chunk_id"))
    with transaction.atomic():
        lost = RunItem.objects.of(run).filter(~Exists(holder), state=State.STARTED)
        if repair:
            drift.orphans += lost.update(state=State.PENDING, chunk_id=None, started_at=None)
        else:
            drift.orphans += lost.count()


def _counts(run: Run, drift: Drift, repair: bool) -> None:
    """The run's own numbers. One transaction with its row locked: whoever writes an outcome waits, or is seen whole."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        counted: Counter[str] = Counter(
            dict(RunItem.objects.of(run).order_by().values_list("state").annotate(n=Count("record_id")))
        )
        numbers = {
            "total": counted.total(),
            "succeeded": counted[State.SUCCESS],
            "failed": counted[State.FAILURE],
            "revoked": counted[State.REVOKED],
        }
        left = counted.total() - sum(counted[state] for state in TERMINAL)
        if all(getattr(run, name) == number for name, number in numbers.items()) and not (run.finished_at and left):
            return
        drift.runs_wrong += 1
        if repair:
            Run.objects.filter(pk=run.pk).update(**numbers)
            if left and run.finished_at:
                Run.objects.filter(pk=run.pk).update(finished_at=None, state=State.STARTED)  # the sweep goes on with it
            elif not left:
                ledger.close(run)
