"""Counting what a chunk came to: one statement, in its transaction, while the run's row is locked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from ..models import State, Tally
from . import groups

# What is beyond the limit is counted under an empty key. Told apart by the database, which alone knows what is there;
# a key that found no room finds none later either, so that each number is whole.
ADD = """
WITH came(kind, name, words, number) AS (VALUES {rows}),
placed AS (
    SELECT came.*, there.key AS known,
        ROW_NUMBER() OVER (PARTITION BY came.kind, there.key IS NULL ORDER BY came.name) AS place,
        {limit} - (SELECT COUNT(*) FROM {table} AS own WHERE own.run_id = %s AND own.kind = came.kind AND own.key <> '')
            AS room
    FROM came LEFT JOIN {table} AS there ON there.run_id = %s AND there.kind = came.kind AND there.key = came.name
),
named AS (
    SELECT kind, number, CASE WHEN known IS NOT NULL OR place <= room THEN name ELSE '' END AS name,
        CASE WHEN known IS NOT NULL OR place <= room THEN words ELSE '' END AS words
    FROM placed
)
INSERT INTO {table} (run_id, kind, key, words, number)
SELECT %s, kind, name, MAX(words), SUM(number) FROM named WHERE true GROUP BY kind, name
ON CONFLICT (run_id, kind, key) DO UPDATE SET number = {table}.number + excluded.number
"""  # noqa: S608 - no value is in it


def label(outcome: str) -> str:
    """Of what the ledger keeps of an outcome."""
    return outcome.partition(": ")[0][: Tally.LONGEST]


def failures(run: Any, transitions: Iterable[Any]) -> dict[int, groups.Alike]:
    """By record, of those that failed, what they have in common with others."""
    seen: dict[str, groups.Alike] = {}
    found: dict[int, groups.Alike] = {}
    for each in transitions:
        if each.state == State.FAILURE:
            if each.error not in seen:
                seen[each.error] = groups.of(run.task_id, each.error)
            found[each.record_id] = seen[each.error]
    return found


def add(run: Any, transitions: Iterable[Any], failed: Mapping[int, groups.Alike]) -> None:
    """Call it after the run's own counts are written: its row is what others wait for."""
    outcomes = Counter([label(each.outcome) for each in transitions if each.state == State.SUCCESS])
    alike = Counter(failed.values())
    rows = [(Tally.Kind.OUTCOME.value, name, "", number) for name, number in outcomes.items()]
    rows += [(Tally.Kind.FAILURE.value, each.fingerprint, each.name, number) for each, number in alike.items()]
    if rows:
        _write(run.pk, rows)


def _write(run_id: int, rows: list[tuple[str, str, str, int]]) -> None:
    sql = ADD.format(table=Tally._meta.db_table, limit=Tally.LIMIT, rows=", ".join(["(%s, %s, %s, %s)"] * len(rows)))
    with connection.cursor() as cursor:
        cursor.execute(sql, [*(value for row in rows for value in row), run_id, run_id, run_id])
