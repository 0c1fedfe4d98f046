"""Counting a run anew: for runs of the time before there were tallies, and where a comparison finds other numbers."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, Min, QuerySet, TextField, Value, When
from django.db.models.functions import Left, StrIndex, Substr

from ..models import Run, RunItem, State, Tally
from . import groups

Row = tuple[str, str, str, int]  # kind, key, words, number
SLICE = 1_000  # failures put into their groups in one transaction

LABEL = Left(
    Case(
        When(outcome__contains=": ", then=Substr("outcome", 1, StrIndex("outcome", Value(": ")) - 1)),
        default=F("outcome"),
        output_field=TextField(),
    ),
    Tally.LONGEST,
)


def counted(items: "QuerySet[Any]") -> list[Row]:
    """What these items of one run came to; of each kind the commonest, and the others together."""
    outcomes = items.filter(state=State.SUCCESS).order_by().annotate(name=LABEL).values_list("name")
    alike = items.filter(state=State.FAILURE).order_by().values_list("alike")
    named = [("outcome", name, "", number) for name, number in outcomes.annotate(number=Count("record_id"))]
    failed = alike.annotate(error=Min("error"), number=Count("record_id"), no=Min("task_no"))
    for name, error, number, task_no in failed.values_list("alike", "error", "number", "no"):
        named.append(("failure", name or "", groups.of(task_no, error).name if name else "", number))
    return [row for kind in Tally.Kind.values for row in _within_limit([each for each in named if each[0] == kind])]


def _within_limit(rows: list[Row]) -> Iterator[Row]:
    rows.sort(key=lambda row: (-row[3], row[1]))
    named = [row for row in rows if row[1]][: Tally.LIMIT]
    yield from named
    if rest := sum(row[3] for row in rows) - sum(row[3] for row in named):
        yield rows[0][0], "", "", rest


def group(items: "QuerySet[Any]") -> int:
    """Put some failures without a group into theirs. How many; 0: none is left."""
    failed = items.filter(state=State.FAILURE, alike=None).order_by("record_id")
    rows = list(failed.values_list("record_id", "task_no", "error")[:SLICE])
    by_group: dict[str, list[int]] = {}
    for record_id, task_no, error in rows:
        by_group.setdefault(groups.of(task_no, error).fingerprint, []).append(record_id)
    for fingerprint, ids in by_group.items():
        items.filter(record_id__in=ids, state=State.FAILURE).update(alike=fingerprint)
    return len(rows)


def write(tallies: Any, run_id: int, rows: Iterable[Row]) -> None:
    """In the caller's transaction, in which the run's row is locked."""
    tallies.filter(run_id=run_id).delete()
    tallies.bulk_create(
        tallies.model(run_id=run_id, kind=kind, key=key, words=words, number=number)
        for kind, key, words, number in rows
    )


def differs(run: Run) -> bool:
    """Whether the tallies of a run that has ended are not those of its items."""
    own = {(kind, key): number for kind, key, number in run.tallies.values_list("kind", "key", "number")}
    right = {(kind, key): number for kind, key, _words, number in counted(RunItem.objects.of(run))}
    if own == right:
        return False
    # Which of too many were named is a matter of which came first.
    sums = [
        {kind: sum(n for (each, _key), n in told.items() if each == kind) for kind in Tally.Kind.values}
        for told in (own, right)
    ]
    is_beyond = {kind for kind, key in own if not key}
    named = {pair: number for pair, number in own.items() if pair[1] and pair[0] in is_beyond}
    fixed = [{pair: n for pair, n in told.items() if pair[0] not in is_beyond} for told in (own, right)]
    return sums[0] != sums[1] or fixed[0] != fixed[1] or any(right.get(pair, n) != n for pair, n in named.items())


def count_missed(run: Run) -> None:
    """Of a run that ended, if workers of the version before, which know no tallies, had a part in it."""
    if sum(run.tallies.values_list("number", flat=True)) != run.succeeded + run.failed:
        with transaction.atomic():
            recount(run)


def recount(run: Run) -> None:
    """In the caller's transaction."""
    Run.objects.select_for_update(of=("self",)).filter(pk=run.pk).first()
    while group(RunItem.objects.of(run)):
        pass
    write(Tally.objects, run.pk, counted(RunItem.objects.of(run)))
