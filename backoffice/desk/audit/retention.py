"""Deleting what is older than staff want to keep: task results, change sets, the items of runs, runs, notices.

In chunks of a transaction each, which hold their locks for a small part of a second; with an entry in the activity log
in the same transaction. The log itself is never deleted. What belongs to a run that is not finished stays, whatever
its age.

Celery's own cleanup has no part in this: `celery.backend_cleanup` deletes nothing where Redis is the result backend
(Redis expires its keys by itself), and never rows of TaskResult; beat is kept from scheduling it.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Substr
from django_celery_results.models import GroupResult, TaskResult

from backoffice.notices.models import Notice
from backoffice.results import activity
from backoffice.results.batches import by_key
from backoffice.runs.database.again import again
from backoffice.runs.doctor.findings import Kept
from backoffice.runs.models import TERMINAL, ChangeSet, Event, LeftAlone, Run, RunItem

from ..models import RetentionPolicy

CHUNK = 2_000  # rows deleted in one transaction; measured: below 0.1 s on SQLite
RUNS_AT_ONCE = 100
BUDGET = 2.0  # seconds of one message: the sweep waits in the same queue
VERB = "retention.deleted"


def apply(budget: float = BUDGET) -> bool:
    """Delete for some seconds. True when more is left than there was time for."""
    deadline = time.monotonic() + budget
    cutoffs = RetentionPolicy.cutoffs()
    for kind, chunks in STEPS:
        cutoff = cutoffs.get(kind)
        for _number in chunks(cutoff) if cutoff else ():
            if time.monotonic() > deadline:
                return True
    return False


def kept() -> Kept:
    """What it leaves to be compared with the ledger."""
    cutoffs = RetentionPolicy.cutoffs()
    return Kept(rows=cutoffs.get(RetentionPolicy.Kind.RESULTS), items=cutoffs.get(RetentionPolicy.Kind.ITEMS))


def results(cutoff: datetime) -> Iterator[int]:
    """Task results, and group results by the same age. Yields the number deleted by each transaction."""
    for model in (TaskResult, GroupResult):
        last = None
        while True:
            rows = model.objects.filter(date_done__lt=cutoff).order_by("date_done")
            if last is not None:  # what was left standing is not looked at again and again
                rows = rows.filter(date_done__gte=last)
            if model is TaskResult:
                rows = rows.filter(~Exists(Run.objects.open().filter(uid=Substr(OuterRef("task_id"), 1, 32))))
            # Found before the transaction begins: looking is slow where an open run has many old rows.
            found = list(rows.values_list("pk", "date_done")[:CHUNK])
            if not found:
                break
            last = found[-1][1]
            yield delete_results(model, found, cutoff)


@again()
def delete_results(model: Any, found: list[tuple[int, datetime]], cutoff: datetime) -> int:
    with transaction.atomic():
        old = model.objects.filter(pk__in=[pk for pk, _at in found], date_done__lt=cutoff)
        number: int = old.delete()[0]
        kind, seen = RetentionPolicy.Kind.RESULTS, {"oldest": found[0][1], "newest": found[-1][1]}
        log(model._meta.label_lower, kind, number, cutoff, **seen)
    return number


def items(cutoff: datetime) -> Iterator[int]:
    """The items of runs that ended before; the run and its counts stay."""
    yield from of_runs(RetentionPolicy.Kind.ITEMS, RunItem.objects.filter(state__in=TERMINAL), cutoff)


def changes(cutoff: datetime) -> Iterator[int]:
    """What changed in the records of runs that ended before, and by plain calls made before."""
    yield from of_runs(RetentionPolicy.Kind.CHANGES, ChangeSet.objects.all(), cutoff)
    yield from of_runs("left_alone", LeftAlone.objects.all(), cutoff)
    by_calls = ChangeSet.objects.filter(run=None, at__lt=cutoff).order_by("at")
    while found := list(by_calls.values_list("pk", flat=True)[:CHUNK]):
        yield delete_changes_of_calls(found, cutoff)


def of_runs(kind: str, rows: "QuerySet[Any]", cutoff: datetime) -> Iterator[int]:
    ended = rows.filter(run_id=OuterRef("pk"))
    old = Run.objects.filter(Exists(ended), finished_at__lt=cutoff).select_related("task")
    for run in by_key(old, RUNS_AT_ONCE):
        mine = rows.filter(run_id=run.pk).order_by("record_id")
        while ids := list(mine.values_list("record_id", flat=True)[:CHUNK]):
            # A range of the key and not a list of ids: one statement of one line.
            yield delete_of_run(run, kind, mine.filter(record_id__range=(ids[0], ids[-1])), cutoff, ids)


@again()
def delete_of_run(run: Run, kind: str, rows: "QuerySet[Any]", cutoff: datetime, ids: list[int]) -> int:
    with transaction.atomic():
        number: int = rows.order_by().delete()[0]
        log(run, kind, number, cutoff, first=ids[0], last=ids[-1])
    return number


@again()
def delete_changes_of_calls(found: list[int], cutoff: datetime) -> int:
    with transaction.atomic():
        number: int = ChangeSet.objects.filter(pk__in=found).delete()[0]
        log(ChangeSet._meta.label_lower, RetentionPolicy.Kind.CHANGES, number, cutoff)
    return number


def runs(cutoff: datetime) -> Iterator[int]:
    """Runs that ended before and have neither items nor changes left; not those that an open run retries or undoes."""
    kept = [~Exists(model._base_manager.filter(run_id=OuterRef("pk"))) for model in (RunItem, ChangeSet, LeftAlone)]
    needed = [~Exists(Run.objects.open().filter(**{by: OuterRef("pk")})) for by in ("retry_of", "undoes")]
    old = Run.objects.filter(*kept, *needed, finished_at__lt=cutoff).order_by("pk")
    while found := list(old.values_list("pk", flat=True)[:RUNS_AT_ONCE]):
        yield delete_runs(found, old, cutoff)


@again()
def delete_runs(found: list[int], old: "QuerySet[Run]", cutoff: datetime) -> int:
    with transaction.atomic():
        # Locked, and asked again: who retries one of them locks it first, and is seen here once that has committed.
        list(Run.objects.filter(pk__in=found).order_by("pk").select_for_update().values_list("pk"))
        still = dict(old.filter(pk__in=found).values_list("pk", "uid"))
        number = Run.objects.filter(pk__in=still).delete()[1].get(Run._meta.label, 0)
        log(Run._meta.label_lower, RetentionPolicy.Kind.RUNS, number, cutoff, runs=still)
    return number


def notices(cutoff: datetime) -> Iterator[int]:
    """Read or not: what nobody has looked at for so long is no news."""
    old = Notice.objects.filter(created_at__lt=cutoff).order_by("created_at")
    while found := list(old.values_list("pk", flat=True)[:CHUNK]):
        yield delete_notices(found, cutoff)


@again()
def delete_notices(found: list[int], cutoff: datetime) -> int:
    with transaction.atomic():
        number: int = Notice.objects.filter(pk__in=found).delete()[0]
        Event.objects.filter(kind=Event.Kind.NOTICE, created_at__lt=cutoff).delete()  # mails that nobody took
        log(Notice._meta.label_lower, RetentionPolicy.Kind.NOTICES, number, cutoff)
    return number


def log(target: Any, kind: str, number: int, cutoff: datetime, **details: Any) -> None:
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in details.items()}
    activity.log(None, VERB, target, kind=str(kind), number=number, before=cutoff.isoformat(), **said)


# Items before their runs, and changes before their items.
STEPS: tuple[tuple[str, Callable[[datetime], Iterator[int]]], ...] = (
    (RetentionPolicy.Kind.RESULTS, results),
    (RetentionPolicy.Kind.CHANGES, changes),
    (RetentionPolicy.Kind.ITEMS, items),
    (RetentionPolicy.Kind.RUNS, runs),
    (RetentionPolicy.Kind.NOTICES, notices),
)
