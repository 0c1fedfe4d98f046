"""What a selection holds at the click: any queryset, or ids; written as items in one statement."""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import index
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .failing import standing
from .models import Run, RunItem, TaskName
from .registry import RecordTask

Records = QuerySet[Any] | Iterable[int]


def chosen(records: Records, task: RecordTask) -> tuple[QuerySet[Any], int | None]:
    """A queryset that takes further filters; and how many ids were given, where it was ids.

    Raises TypeError for what is neither, ValueError for records of another model.
    """
    if not isinstance(records, QuerySet):
        ids = given(records, task)
        return task.record_model._base_manager.filter(pk__in=listed(ids)), len(ids)
    if not issubclass(records.model, task.record_model):
        raise ValueError(f"{task.name} works on {task.record_model._meta.label}, not on {records.model._meta.label}.")
    return _plain(records), None


def _plain(records: QuerySet[Any]) -> QuerySet[Any]:
    """Joined, sliced and combined ones become a subquery."""
    query = records.query
    if query.distinct or query.combinator or query.is_sliced or query.annotation_select:
        ordered = records if query.is_sliced else records.order_by()
        return records.model._base_manager.filter(pk__in=ordered.values("pk"))
    return records.order_by()


def given(records: object, task: RecordTask) -> list[int]:
    """Each once, in order. Raises TypeError."""
    wanted = f"{task.name} takes a queryset of {task.record_model._meta.label}, or ids of such records"
    if isinstance(records, (str, bytes)) or not isinstance(records, Iterable):
        hint = " Write .all() behind it." if hasattr(records, "get_queryset") else ""
        raise TypeError(f"{wanted}, not {records!r}.{hint}")
    return sorted({_id(each, wanted) for each in records})


def _id(given: object, wanted: str) -> int:
    if isinstance(given, Model):
        raise TypeError(f"{wanted}; among the ids is the {type(given).__name__} {given.pk}: give its pk.")
    try:
        return index(given if not isinstance(given, bool) else "")  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{wanted}; among the ids is {given!r}, which is no whole number.") from None


def listed(ids: list[int]) -> RawSQL:
    """In one parameter: of placeholders both databases take fewer than a run has records."""
    known = [each for each in ids if -(2**63) <= each < 2**63]  # no column holds another
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", (known,))  # noqa: S611 - a statement of our own
    return RawSQL("SELECT value FROM json_each(%s)", (json.dumps(known),))  # noqa: S611


class Written(NamedTuple):
    """Of a selection those that match, of these the eligible, of these those that were wanted, and the items."""

    matched: int
    fit: int
    wanted: int
    written: int

    def skipped(self) -> dict[str, int]:
        """As `reasons` wants it."""
        return {
            "unfit": self.matched - self.fit,
            "unneeded": self.fit - self.wanted,
            "busy": self.wanted - self.written,
        }


Write = Callable[[Run], Written]  # the items of a run


def write(records: QuerySet[Any], task: RecordTask, only_needed: bool, run: Run) -> Written:
    """Write the items by one INSERT ... SELECT of the selection itself."""
    fit = eligible(records, task)
    found = write_ids(_ids(needing(fit, task) if only_needed else fit), run)
    # Counted by statements of their own: some may have been deleted since the other.
    fit_count = max(fit.count(), found.wanted) if only_needed else found.wanted
    matched = fit_count if task.eligible is None else max(records.count(), fit_count)
    return Written(matched, fit_count, found.wanted, found.written)


def write_ids(ids: QuerySet[Any], run: Run) -> Written:
    """The same of a query for `record_id` alone: all that it finds is eligible."""
    try:
        sql, params = ids.query.sql_with_params()
    except EmptyResultSet:
        return Written(0, 0, 0, 0)
    insert = _insert_on_postgresql if connection.vendor == "postgresql" else _insert_on_sqlite
    fit_count, written = insert(run, sql, params)
    return Written(fit_count, fit_count, fit_count, written)


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


def active(name: TaskName | None) -> Exists:
    number = name.pk if name else 0  # of a task that never ran nothing is active
    return Exists(RunItem.objects.filter(task_no=number, record_id=OuterRef("pk"), active=True))


def reasons(*, unfit: int = 0, busy: int, unneeded: int = 0, gone: int = 0) -> dict[str, int]:
    """By their codes, of which `labels.skip_words` makes words."""
    found = {"unfit": unfit, "unneeded": unneeded, "busy": busy, "gone": gone}
    return {reason: number for reason, number in found.items() if number > 0}


def nothing(matched: int, skipped: Mapping[str, int]) -> str:
    if not matched:
        return _("No record matches the selection, so there is nothing to do.")
    why = "; ".join(f"{number:,} {reason}" for reason, number in skipped.items())
    return ngettext(
        "The selected record was skipped: %(why)s.", "All %(n)d selected records were skipped: %(why)s.", matched
    ) % {"n": matched, "why": why}


def needing(records: QuerySet[Any], task: RecordTask) -> QuerySet[Any]:
    """Those that need it, as the task says, and those with which it failed last."""
    number = TaskName.objects.filter(name=task.name).values("pk")
    failed = standing.standing().filter(task_no__in=number, run__purpose=Run.Purpose.REAL).values("record_id")
    return records.filter((task.needs or Q()) | Q(pk__in=failed))


def first_of(records: Records, task: RecordTask, number: int) -> list[Any]:
    """Of those that `start` would work on now, the first by id."""
    fit = eligible(chosen(records, task)[0], task)
    busy = active(TaskName.objects.filter(name=task.name).first())
    return list(fit.exclude(busy).order_by("pk")[:number])
