"""Writing a run's items: what a selection holds at the click, in one statement."""

import contextlib
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from .models import Run, RunItem
from .registry import RecordTask


def write(run: Run, records: QuerySet[Any], task: RecordTask) -> tuple[int, int, int]:
    """Write the items by one INSERT ... SELECT of the selection itself. Returns (matched, eligible, written)."""
    fit = eligible(records, task)
    try:
        sql, params = _ids(fit).query.sql_with_params()
    except EmptyResultSet:
        return records.count(), 0, 0
    insert = _insert_on_postgresql if connection.vendor == "postgresql" else _insert_on_sqlite
    fit_count, written = insert(run, sql, params)
    # Counted by a statement of its own: some may have been deleted since the other.
    matched = fit_count if task.eligible is None else max(records.count(), fit_count)
    return matched, fit_count, written


# ORDER BY: overlapping clicks insert in one order, or PostgreSQL deadlocks.
INSERT = (
    f"INSERT INTO {RunItem._meta.db_table}"  # noqa: S608 - names of our own
    " (run_id, record_id, task_no, state, active, attempts, retries, deaths, outcome, error)"
    " SELECT %s, s.record_id, %s, 'PENDING', %s, 0, 0, 0, '', '' FROM {source} AS s"
    " WHERE {condition} ORDER BY s.record_id {conflict}"
)
BUSY = (
    f"EXISTS (SELECT 1 FROM {RunItem._meta.db_table} AS i"  # noqa: S608
    " WHERE i.active AND i.task_no = %s AND i.record_id = s.record_id)"
)


def _insert_on_sqlite(run: Run, sql: str, params: Sequence[Any]) -> tuple[int, int]:
    """A record active in another run meets the constraint and is left out."""
    # WHERE true: the parser wants it before ON CONFLICT.
    insert = INSERT.format(source=f"({sql})", condition="true", conflict="ON CONFLICT DO NOTHING")
    with connection.cursor() as cursor:
        cursor.execute(insert, (run.pk, run.task_id, run.activated_at is not None, *params))
        written = cursor.rowcount
        cursor.execute(f"SELECT count(*) FROM ({sql})", params)  # noqa: S608
        return cursor.fetchone()[0], written


def _insert_on_postgresql(run: Run, sql: str, params: Sequence[Any]) -> tuple[int, int]:
    """Records active in another run are left out by a condition: ON CONFLICT takes twice the time.

    It is needed where a click of the same moment wins; the constraint tells.
    """
    with contextlib.suppress(IntegrityError), transaction.atomic():
        return _insert_counting(run, sql, params, conflict="")
    return _insert_counting(run, sql, params, conflict="ON CONFLICT DO NOTHING")


def _insert_counting(run: Run, sql: str, params: Sequence[Any], *, conflict: str) -> tuple[int, int]:
    # One statement, one snapshot: what is counted is what was offered to the insert.
    active = run.activated_at is not None
    insert = INSERT.format(source="fit", condition=f"NOT {BUSY}" if active else "true", conflict=conflict)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH fit AS MATERIALIZED ({sql}), written AS ({insert} RETURNING 1)"  # noqa: S608
            " SELECT (SELECT count(*) FROM fit), (SELECT count(*) FROM written)",
            (*params, run.pk, run.task_id, active, *([run.task_id] if active else [])),
        )
        fit_count, written = cursor.fetchone()
        return fit_count, written


def _ids(records: QuerySet[Any]) -> QuerySet[Any]:
    return records.order_by().values(record_id=F("pk"))


def eligible(records: QuerySet[Any], task: RecordTask) -> QuerySet[Any]:
    return records if task.eligible is None else records.filter(task.eligible)
