"""The ledger against itself: chunks, items and runs that cannot be so. Each question with its repair."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from .drift import Survey
from .models import OPEN, TERMINAL, Chunk, Run, RunItem, State


def chunks(survey: Survey, settled: datetime) -> None:
    """Chunks of runs that ended: their message would find nothing to do, and the sweep sends it for ever."""
    with survey.transaction():
        left = Chunk.objects.filter(run__finished_at__lt=settled).select_related("run__task").order_by("pk")
        for chunk in left:
            survey.note("chunks_left", 1, chunk.run, chunk=chunk.pk)
        if survey.repair:
            Chunk.objects.filter(pk__in=[chunk.pk for chunk in left]).delete()


def orphans(survey: Survey, run: Run) -> None:
    """Items whose chunk is gone without them: nobody would ever come for these."""
    holder = Chunk.objects.filter(pk=OuterRef("chunk_id"))
    with survey.transaction():
        lost = RunItem.objects.of(run).filter(~Exists(holder), state=State.STARTED)
        back = {"state": State.PENDING, "chunk_id": None, "started_at": None}
        survey.note("orphans", lost.update(**back) if survey.repair else lost.count(), run)


def holds(survey: Survey, run: Run) -> None:
    """Whether an item holds its record against other runs: as long as it is open, once its run's time has come."""
    with survey.transaction():
        ended = RunItem.objects.of(run).filter(state__in=TERMINAL, active=True)
        survey.note("holds_wrong", ended.update(active=False) if survey.repair else ended.count(), run)
        if run.activated_at is None:
            return
        held = RunItem.objects.filter(task_no=run.task_id, record_id=OuterRef("record_id"), active=True)
        idle = RunItem.objects.of(run).filter(~Exists(held), state__in=OPEN, active=False)
        survey.note("holds_wrong", idle.update(active=True) if survey.repair else idle.count(), run)


def counts(survey: Survey, run: Run) -> None:
    """The run's own numbers. One transaction with its row locked: whoever writes an outcome waits, or is seen whole."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).select_related("task").get(pk=run.pk)
        by_state = RunItem.objects.of(run).order_by().values_list("state").annotate(n=Count("record_id"))
        counted: Counter[str] = Counter(dict(by_state))
        right = numbers(counted) | end(run, counted)
        wrong = {name: getattr(run, name) for name, value in right.items() if getattr(run, name) != value}
        if not wrong:
            return
        survey.note("runs_wrong", 1, run, was={name: str(value) for name, value in wrong.items()})
        if survey.repair:
            Run.objects.filter(pk=run.pk).update(**right)


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
    state = next((state for state in (State.FAILURE, State.REVOKED) if counted[state]), State.SUCCESS)
    return {"state": state, "finished_at": run.finished_at or timezone.now()}
