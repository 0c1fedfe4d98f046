"""The ledger against itself: chunks, items and runs that cannot be so. Each question with its repair."""

from collections import Counter
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from ..counting import again
from ..engine import ledger
from ..models import OPEN, TERMINAL, Chunk, Run, RunItem, State
from .findings import Survey

BATCH = 1_000  # items mended at a time
NUMBERS = ("total", "succeeded", "failed", "revoked", "conflicts", "state", "finished_at")


def chunks(survey: Survey, before: datetime) -> None:
    """Chunks of runs that ended: their message would find nothing to do, and the sweep sends it for ever."""
    left = Chunk.objects.filter(run__finished_at__lt=before).select_related("run__task").order_by("pk")
    if not survey.repair:
        survey.note("chunks_left", left.count(), "")
    if not survey.repair or not left.exists():  # looked for first: a transaction takes SQLite's write lock
        return
    survey.step(lambda: _drop(survey, left))


def _drop(survey: Survey, left: "QuerySet[Chunk]") -> None:
    locked = list(left.select_for_update(of=("self",)))
    for chunk in locked:
        survey.note("chunks_left", 1, chunk.run, chunk=chunk.pk)
    Chunk.objects.filter(pk__in=[chunk.pk for chunk in locked]).delete()


def orphans(survey: Survey, run: Run) -> None:
    """Items whose chunk is gone without them: nobody would ever come for these."""
    holder = Chunk.objects.filter(pk=OuterRef("chunk_id"))
    lost = RunItem.objects.of(run).filter(~Exists(holder), state=State.STARTED).order_by("record_id")
    if not survey.repair:
        survey.note("orphans", lost.count(), run)
    while survey.repair and (found := ids_of(lost)):
        survey.step(partial(_return, survey, run, lost, found))


def _return(survey: Survey, run: Run, lost: "QuerySet[RunItem]", found: list[int]) -> None:
    locked = ids_of(RunItem.objects.of(run).filter(record_id__in=found).select_for_update())
    # Asked again under their locks: meanwhile somebody may have come for them, with a chunk of their own.
    still = RunItem.objects.of(run).filter(record_id__in=ids_of(lost.filter(record_id__in=locked)))
    survey.note("orphans", still.update(state=State.PENDING, chunk_id=None, started_at=None), run)


def ids_of(items: "QuerySet[RunItem]") -> list[int]:
    return list(items.order_by("record_id").values_list("record_id", flat=True)[:BATCH])


def holds(survey: Survey, run: Run) -> None:
    """Whether an item holds its record against other runs: as long as it is open, once its run's time has come."""
    mend(survey, run, RunItem.objects.of(run).filter(state__in=TERMINAL, active=True), active=False)
    if run.activated_at is not None:
        held = RunItem.objects.filter(task_no=run.task_id, record_id=OuterRef("record_id"), active=True)
        idle = RunItem.objects.of(run).filter(~Exists(held), state__in=OPEN, active=False)
        mend(survey, run, idle, active=True)


def mend(survey: Survey, run: Run, wrong: "QuerySet[RunItem]", *, active: bool) -> None:
    if not survey.repair:
        survey.note("holds_wrong", wrong.count(), run)
    if not survey.repair or not wrong.exists():
        return
    with suppress(IntegrityError):  # a click of this moment has one of them: found the next time
        survey.step(lambda: survey.note("holds_wrong", wrong.update(active=active), run))


def counts(survey: Survey, run: Run) -> None:
    """The run's own numbers. Looked at in one statement, which sees what a worker writes whole or not at all; mended in
    one transaction with its row locked."""
    if differing(*counted(run)):
        survey.step(lambda: _count_again(survey, run))


def _count_again(survey: Survey, run: Run) -> None:
    if survey.repair:
        Run.objects.select_for_update(of=("self",)).filter(pk=run.pk).first()
    seen, by_state = counted(run)
    wrong = differing(seen, by_state)
    if wrong:
        survey.note("runs_wrong", 1, run, was={name: str(getattr(seen, name)) for name in wrong})
        if survey.repair:
            Run.objects.filter(pk=run.pk).update(**wrong)
            if wrong.get("finished_at"):
                run.refresh_from_db()
                ledger.note_end(run)


def tallies(survey: Survey, run: Run) -> None:
    """What its records came to. Of a run that has ended: nobody writes there any more."""
    if run.is_finished and again.differs(run):
        survey.step(lambda: _tally_again(survey, run))


def _tally_again(survey: Survey, run: Run) -> None:
    survey.note("tallies_wrong", 1, run)
    if survey.repair:
        again.recount(run)


def counted(run: Run) -> tuple[Run | None, Counter[str]]:
    """The run as it stands, and its items by state, of one moment. Retention may have taken it."""
    own = Run.objects.filter(pk=run.pk)
    items = RunItem.objects.of(run).order_by().values("state").annotate(n=Count("record_id"))
    found: Any = list(items.annotate(**{f"of_run_{name}": Subquery(own.values(name)) for name in NUMBERS}))
    if not found:
        return own.first(), Counter()
    seen = Run(pk=run.pk, **{name: found[0][f"of_run_{name}"] for name in NUMBERS})
    return seen, Counter({row["state"]: row["n"] for row in found})


def differing(run: Run | None, by_state: Counter[str]) -> dict[str, object]:
    """What is wrong in the run's row, as it should be."""
    if run is None:
        return {}
    right = numbers(by_state) | end(run, by_state)
    return {name: value for name, value in right.items() if getattr(run, name) != value}


def numbers(counted: Counter[str]) -> dict[str, int]:
    return {
        "total": counted.total(),
        "succeeded": counted[State.SUCCESS],
        "failed": counted[State.FAILURE],
        "revoked": counted[State.REVOKED],
    }


def end(run: Run, counted: Counter[str]) -> dict[str, object]:
    """State and end of a run with such items. One that is open goes on: the sweep cuts what has no chunk."""
    if any(counted[state] for state in OPEN):
        begun = State.STARTED if run.state in TERMINAL else run.state
        return {"state": begun, "finished_at": None}
    ends = ((State.FAILURE, counted[State.FAILURE]), (State.REVOKED, counted[State.REVOKED] - run.conflicts))
    state = next((state for state, number in ends if number > 0), State.SUCCESS)
    return {"state": state, "finished_at": run.finished_at or timezone.now()}
