"""Ledger against TaskResult against Redis: how far they differ, and the ledger's word written into all three.

Looks at the runs of the time for which results are kept: before that TaskResult and Redis may have let go of theirs.
Safe beside workers: what it writes over is locked, or terminal and thus never written again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_celery_results.models import TaskResult
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from backoffice.results import rows
from backoffice.results.batches import by_key, pages

from ..engine import ledger
from ..models import OPEN, TERMINAL, Outcome, Run, RunItem, State
from ..registry import find
from . import calls, ledger_checks
from .findings import Drift, Kept, Survey

RUNS_AT_ONCE = 100
BATCH = 1_000  # items compared at a time
YOUNG = timedelta(seconds=10)  # Redis is told after the commit: an item younger than that may still be on its way
RETENTION = timedelta(hours=1)
NAMED = 20  # records named in an entry of the activity log
UNREADABLE = "unreadable"


def measure(*, repair: bool = False, by: str = "", kept: Kept | None = None) -> Drift:
    """Compare, a batch at a time; with `repair` write what differs as the ledger has it, and log it."""
    return look(Survey(repair, by, kept or Kept()))


def look(survey: Survey) -> Drift:
    ledger_checks.chunks(survey, timezone.now() - YOUNG)
    for run in by_key(recent(survey.kept), RUNS_AT_ONCE):
        ledger_checks.orphans(survey, run)
        ledger_checks.holds(survey, run)
        for items in _batches(run):
            _compare(survey, run, items)
            survey.watch(survey.drift)
        ledger_checks.counts(survey, run)
        ledger_checks.tallies(survey, run)
        survey.drift.runs += 1
        survey.watch(survey.drift)
    calls.compare(survey, _in_redis)
    return survey.drift


def since(kept: Kept) -> datetime:
    """Runs that ended later are compared, and those that have not ended."""
    expired = timezone.now() - timedelta(seconds=settings.CELERY_RESULT_EXPIRES)
    # Retention goes on while we look: what it may take in the next hour is not counted against what it has taken.
    return max(expired, kept.items + RETENTION if kept.items else expired)


def recent(kept: Kept) -> "QuerySet[Run]":
    return Run.objects.filter(Q(finished_at=None) | Q(finished_at__gte=since(kept))).select_related("task")


def _batches(run: Run) -> Iterator[list[RunItem]]:
    known = Q(state__in=OPEN) | Q(finished_at__lt=timezone.now() - YOUNG)
    return pages(RunItem.objects.of(run).filter(known), BATCH, "record_id")


def _compare(survey: Survey, run: Run, items: list[RunItem]) -> None:
    ids = {item.record_id: run.item_task_id(item.record_id) for item in items}
    written = dict(TaskResult.objects.filter(task_id__in=ids.values()).values_list("task_id", "status"))
    told = _in_redis(list(ids.values()), survey.drift)
    ended = [item for item in items if item.state in TERMINAL]
    survey.drift.compared += len(ended)
    missing = [item for item in ended if ids[item.record_id] not in written and _has_row(item, survey.kept)]
    wrong = [item for item in ended if written.get(ids[item.record_id], item.state) != item.state]
    stale = [item for item in ended if told.get(ids[item.record_id], item.state) != item.state]
    _write_rows(survey, run, missing, wrong)
    _tell_redis(survey, run, stale)
    ends = {task_id for answers in (written, told) for task_id, state in answers.items() if state in TERMINAL}
    _take_back(survey, run, [item.record_id for item in items if item.state in OPEN and ids[item.record_id] in ends])


def _has_row(item: RunItem, kept: Kept) -> bool:
    return kept.rows is None or item.finished_at is None or item.finished_at > kept.rows + RETENTION


def _in_redis(task_ids: list[str], drift: Drift) -> dict[str, str]:
    backend = current_app.backend
    try:
        held = backend.mget([backend.get_key_for_task(task_id) for task_id in task_ids])
    except (RedisError, OSError):
        drift.redis_unknown = True
        return {}
    return {task_id: _state_in(value) for task_id, value in zip(task_ids, held, strict=True) if value}


def _state_in(value: Any) -> str:
    try:
        return str(current_app.backend.decode(value)["status"])
    except (KombuError, LookupError, TypeError, ValueError):
        return UNREADABLE


def _write_rows(survey: Survey, run: Run, missing: list[RunItem], wrong: list[RunItem]) -> None:
    if not missing and not wrong:
        return
    survey.step(lambda: _overwrite(survey, run, missing, wrong))


def _overwrite(survey: Survey, run: Run, missing: list[RunItem], wrong: list[RunItem]) -> None:
    survey.note("rows_missing", len(missing), run, records=_named(missing))
    survey.note("rows_wrong", len(wrong), run, records=_named(wrong))
    if survey.repair:
        rows.overwrite([_row(run, item) for item in (*missing, *wrong)])


def _tell_redis(survey: Survey, run: Run, stale: list[RunItem]) -> None:
    survey.note("redis_wrong", len(stale), run, records=_named(stale))
    if survey.repair and stale:
        ledger.tell_redis(run, [_row(run, item) for item in stale])


def _take_back(survey: Survey, run: Run, ids: list[int]) -> None:
    """Ends that the ledger does not know. Looked at again, and locked: an outcome may have come meanwhile."""
    if ids:
        survey.step(lambda: _reopen(survey, run, ids))


def _reopen(survey: Survey, run: Run, ids: list[int]) -> None:
    still = RunItem.objects.of(run).filter(record_id__in=ids, state__in=OPEN).order_by("record_id")
    items = list(still.select_for_update() if survey.repair else still)
    survey.note("too_early", len(items), run, records=_named(items))
    if survey.repair:
        written = TaskResult.objects.filter(task_id__in=[run.item_task_id(item.record_id) for item in items])
        known = set(written.values_list("task_id", flat=True))
        rows.overwrite([_row(run, item) for item in items if run.item_task_id(item.record_id) in known])
        _forget([run.item_task_id(item.record_id) for item in items], survey.drift)


def _forget(task_ids: list[str], drift: Drift) -> None:
    backend = current_app.backend
    try:
        if task_ids:
            backend.client.delete(*map(backend.get_key_for_task, task_ids))
    except (RedisError, OSError):
        drift.redis_unknown = True


def _named(items: list[RunItem]) -> list[int]:
    return [item.record_id for item in items[:NAMED]]


def _row(run: Run, item: RunItem) -> tuple[Any, ...]:
    """The item's row with the time at which it ended, not that of the repair."""
    transition = _transition(run, item)
    ledger.add_rows(run, [transition], "")
    row = list(transition.row or ())
    row[rows.FIELDS.index("date_done")] = item.finished_at or timezone.now()
    return tuple(row)


def _transition(run: Run, item: RunItem) -> ledger.Transition:
    """The item's outcome as its worker would have written it, short of the traceback."""
    kind, _colon, text = item.error.partition(": ")
    result: Any = {"exc_type": kind if text else "Exception", "exc_message": [text or kind], "exc_module": "builtins"}
    if item.state == State.SUCCESS:
        try:
            label, _colon, detail = item.outcome.partition(": ")
            result = find(run.task.name).answer(item.record_id, Outcome(label, detail))
        except LookupError:
            result = item.outcome
    elif item.state == State.REVOKED:
        result = {**ledger.REVOKED, "exc_message": [item.error]} if item.is_left_alone else ledger.REVOKED
    elif item.state in OPEN:
        result = None
    return ledger.Transition(
        item.record_id, State(item.state), outcome=item.outcome, error=item.error, result=result,
        retries=item.retries, started_at=item.started_at,
    )  # fmt: skip
