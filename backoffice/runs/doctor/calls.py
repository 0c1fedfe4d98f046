"""Calls outside of runs: row against key, and what never came to an end. The ledger knows nothing of these.

A row that tells an end is believed before a key; a key that tells one, before a row that tells none.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from celery import current_app, states
from celery.exceptions import WorkerLostError
from django.conf import settings
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult
from redis.exceptions import RedisError

from backoffice.results import rows, spool
from backoffice.results.values.text import storable

from .findings import Survey

BATCH = 1_000
YOUNG = timedelta(seconds=10)  # the row is written first: a key may still be on its way
BUSY = (states.STARTED, "PROGRESS")
SHOWN = 2_000  # characters of a row that no table takes


def compare(survey: Survey, told: Any) -> None:
    """`told` asks Redis for the states of task ids."""
    for batch in _recent():
        known = told([row.task_id for row in batch], survey.drift)
        wrong = [row for row in batch if _differ(row.status, known.get(row.task_id))]
        survey.drift.calls += len(batch)
        survey.note("calls_wrong", len(wrong), _("Calls"), task_ids=[row.task_id for row in wrong[:20]])
        if survey.repair and wrong:
            _write_over(wrong, known, survey)
        survey.watch(survey.drift)
    _end_stuck(survey)
    _look_aside(survey)


def _recent() -> Iterator[list[Any]]:
    """Rows of calls for which a key may be there. An item's task id has a dash behind its run's uid, a call's none."""
    now = timezone.now()
    since = now - timedelta(seconds=settings.CELERY_RESULT_EXPIRES)
    found = TaskResult.objects.filter(date_done__gte=since, date_done__lt=now - YOUNG)
    found = found.annotate(mark=Substr("task_id", 33, 1)).exclude(mark="-").order_by("pk").only("task_id", "status")
    after = 0
    while batch := list(found.filter(pk__gt=after)[:BATCH]):
        yield batch
        after = batch[-1].pk


def _differ(status: str, told: str | None) -> bool:
    return told is not None and told != status and bool({status, told} & states.READY_STATES)


def _write_over(wrong: list[Any], known: dict[str, str], survey: Survey) -> None:
    backend = current_app.backend
    try:
        for row in TaskResult.objects.filter(pk__in=[row.pk for row in wrong]):
            key = backend.get_key_for_task(row.task_id)
            if row.status in states.READY_STATES:
                backend.client.delete(key)
                backend.remember_row(row)
            elif known[row.task_id] in states.READY_STATES and (value := backend.client.get(key)):
                rows.write([_row(row.task_id, rows.loads(value.decode()))])
    except RedisError:
        survey.drift.redis_unknown = True


def _row(task_id: str, meta: dict[str, Any]) -> tuple[Any, ...]:
    return rows.row(
        task_id, meta["status"], name=meta.get("name"), args=meta.get("args"), kwargs=meta.get("kwargs"),
        worker=meta.get("worker"), result=meta.get("result"), traceback=meta.get("traceback"),
    )  # fmt: skip


def for_ever() -> timedelta:
    """After so long no worker is at a call any more, nor does the broker give its message to another."""
    limits = [task.time_limit for task in current_app.tasks.values() if task.time_limit]
    longest = max([settings.CELERY_TASK_TIME_LIMIT, *limits])
    return timedelta(seconds=settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] + longest)


def _end_stuck(survey: Survey) -> None:
    stuck = TaskResult.objects.filter(status__in=BUSY, date_done__lt=timezone.now() - for_ever())
    stuck = stuck.annotate(mark=Substr("task_id", 33, 1)).exclude(mark="-").order_by("pk")
    if not survey.repair:
        return survey.note("calls_stuck", stuck.count(), "")
    while batch := list(stuck.values_list("task_id", "status")[:BATCH]):
        survey.step(partial(_end, survey, [task_id for task_id, _status in batch]))
    return None


def _end(survey: Survey, ids: list[str]) -> None:
    error = rows.error(WorkerLostError("worker lost: it began, and came to no end"))
    rows.write([rows.row(task_id, states.FAILURE, result=error) for task_id in ids])
    survey.note("calls_stuck", len(ids), _("Calls"), task_ids=ids[:20])


def _look_aside(survey: Survey) -> None:
    """Rows that waited in Redis and that the database refused: tried again, else noted in the log and let go of."""
    client = current_app.backend.client
    try:
        number = int(spool.ask_aside(client))
        hopeless = spool.write_set_aside(client) if number and survey.repair else []
        shown = [storable(kept.decode(errors="backslashreplace"), SHOWN) for kept in hopeless]
        survey.note("set_aside", number, _("Outcomes set aside"), never_written=shown)
    except RedisError:
        survey.drift.redis_unknown = True
