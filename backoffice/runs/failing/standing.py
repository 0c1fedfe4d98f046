"""Which failures stand: one definition, asked for one run, for many, and for records.

A failed item is settled once the same task has succeeded with the same record in a later run, or somebody has dismissed
it; until then it stands. "Later" goes by when the records ended: a run planned long ago may do its work last. Settled
is for ever, so that a run all of whose failures are is marked, and not looked through again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Dismissal, Run, RunItem, RunQuerySet, State, TaskName
from ..registry import find, record_tasks

LOOKED = 2_000  # failures of one run that its page looks through: 50 ms
GLANCED = 300  # of each run in a list: 5 ms
NEAR = 8  # runs: a look into each costs as much as one into a record's history
HIGHEST = 2**63 - 1


def mending() -> QuerySet[RunItem]:
    """Of a failed item, as a subquery: what mended it; by the index of a record's history. An undo mends no more than
    an undo of the same run."""
    is_real, undoes_the_same = Q(run__purpose=Run.Purpose.REAL), Q(run__undoes=OuterRef("run__undoes"))
    return RunItem.objects.filter(
        is_real | undoes_the_same,
        by_the_same_work(),
        run__purpose=OuterRef("run__purpose"),
        record_id=OuterRef("record_id"),
        state=State.SUCCESS,
        finished_at__gt=OuterRef("finished_at"),
    )


def by_the_same_work() -> Q:
    """Inside `mending`: by the same task, or by one that includes its work."""
    found = Q(task_no=OuterRef("task_no"))
    for name, included in including().items():
        of_included = TaskName.objects.filter(pk=OuterRef(OuterRef("task_no")), name__in=included)
        found |= Q(Exists(of_included), task_no__in=TaskName.objects.filter(name=name).values("pk"))
    return found


def including() -> dict[str, list[str]]:
    """Names of tasks that include the work of others, and of these."""
    return {name: [find(each).name for each in task.includes] for name, task in record_tasks().items() if task.includes}


def dismissing() -> QuerySet[Dismissal]:
    return Dismissal.objects.filter(run_id=OuterRef("run_id"), record_id=OuterRef("record_id"))


def is_settled() -> Any:
    """Of a failed item."""
    return Exists(mending()) | Exists(dismissing())


def standing(items: QuerySet[RunItem] | None = None) -> QuerySet[RunItem]:
    """The failures among these items, or among all, that stand. Of all, those of runs that are settled are not read."""
    failed = RunItem.objects.filter(run__in=unsettled()) if items is None else items
    return failed.filter(~Exists(mending()), ~Exists(dismissing()), state=State.FAILURE)


def unsettled() -> RunQuerySet:
    return Run.objects.filter(failed__gt=0, settled_at=None)


def of_records(task_nos: Iterable[int], record_ids: Iterable[int]) -> QuerySet[RunItem]:
    """The failures of these tasks that stand against these records, the newest first; by the records' history. That an
    undo failed says nothing of a record."""
    ended = RunItem.objects.filter(record_id__in=record_ids, task_no__in=task_nos, finished_at__isnull=False).filter(
        run__purpose=Run.Purpose.REAL
    )
    return standing(ended).order_by("-finished_at")


def of_tasks(names: Iterable[str]) -> QuerySet[RunItem]:
    """The failures of real runs of these tasks that stand, as `standing` says it. Which runs may have mended them is
    asked first: a quarter of a million failures take half a second in place of one and a half."""
    stands = Q(pk__in=[])
    for name in names:
        runs = list(unsettled().filter(task__name=name, purpose=Run.Purpose.REAL).values_list("pk", "activated_at"))
        if runs:
            mended = _unmended_since(name, min((at for _pk, at in runs if at), default=None))
            stands |= Q(run_id__in=[pk for pk, _at in runs]) & mended
    return RunItem.objects.filter(stands, ~Exists(dismissing()), state=State.FAILURE)


def _unmended_since(name: str, at: datetime | None) -> Q:
    """Of a failure of this task since this moment: that nothing has mended it. Few runs are looked into by their key,
    of many the record's history."""
    by = [name, *(other for other, included in including().items() if name in included)]
    later = Run.objects.filter(task__name__in=by, purpose=Run.Purpose.REAL, succeeded__gt=0)
    numbers = list((later.exclude(finished_at__lt=at) if at else later).values_list("pk", flat=True)[: NEAR + 1])
    if not numbers:
        return Q()
    success = RunItem.objects.filter(
        record_id=OuterRef("record_id"), state=State.SUCCESS, finished_at__gt=OuterRef("finished_at")
    )
    if len(numbers) <= NEAR:
        return Q(~Exists(success.filter(run_id__in=numbers)))
    tasks = list(TaskName.objects.filter(name__in=by).values_list("pk", flat=True))
    return Q(~Exists(success.filter(task_no__in=tasks, run__purpose=Run.Purpose.REAL)))


# --- of one run


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a run's failures since."""

    failed: int
    looked_at: int = 0
    left: int = 0
    gone: int = 0  # of those left: their records are deleted, so that no retry reaches them
    dismissed: int = 0
    mended: Counter[int] = field(default_factory=Counter)  # by the run that did it
    is_settled: bool = False  # for ever, so that none of those not looked at is left either

    @property
    def is_all_looked_at(self) -> bool:
        return self.looked_at >= self.failed

    @property
    def is_all(self) -> bool:
        """It is known of all."""
        return self.is_settled or self.is_all_looked_at

    @property
    def is_over(self) -> bool:
        """There were failures, and none is left."""
        return bool(self.failed) and self.is_all and not self.left

    @property
    def retryable(self) -> int:
        return self.left - self.gone

    @property
    def mended_by(self) -> list[tuple[int, int]]:
        """Run and number of failures, the run with most first."""
        return self.mended.most_common(5)


def of_run(run: Run) -> Standing:
    """Looks at LOOKED failures, and says whether that was all."""
    if not run.failed:
        return Standing(0)
    first = RunItem.objects.of(run).failed().order_by("record_id").annotate(
        mended_by=Subquery(mending().order_by("finished_at").values("run_id")[:1]),
        dismissed=Exists(dismissing()),
        gone=is_gone(run),
    )  # fmt: skip
    rows = list(first.values_list("mended_by", "dismissed", "gone")[:LOOKED])
    left = [gone for mended_by, dismissed, gone in rows if mended_by is None and not dismissed]
    dismissed = sum(dismissed for mended_by, dismissed, _is_gone in rows if mended_by is None)
    mended = Counter(mended_by for mended_by, _is_dismissed, _is_gone in rows if mended_by is not None)
    failed = run.failed if len(rows) == LOOKED else len(rows)  # fewer, where retention took them
    return Standing(failed, len(rows), len(left), sum(left), dismissed, mended, run.settled_at is not None)


@dataclass(frozen=True, slots=True)
class Settled:
    """How one failure was settled; or that its record is gone, so that only a dismissal settles it."""

    run_id: int | None  # that mended it
    dismissed_by: str = ""
    reason: str = ""
    is_gone: bool = False


def settled_among(run: Run, record_ids: Iterable[int]) -> dict[int, Settled]:
    """By record, of a page of a run's failures; those that stand and can be retried are not in it."""
    dismissed = dismissing()
    failed = RunItem.objects.of(run).failed().filter(record_id__in=record_ids).annotate(
        mended_by=Subquery(mending().order_by("finished_at").values("run_id")[:1]),
        dismissed_by=Subquery(dismissed.values("by_name")[:1]),
        reason=Subquery(dismissed.values("reason")[:1]),
        gone=is_gone(run),
    )  # fmt: skip
    rows = failed.values_list("record_id", "mended_by", "dismissed_by", "reason", "gone")
    return {
        pk: Settled(by, who or "", why or "", gone and by is None and why is None)
        for pk, by, who, why, gone in rows
        if gone or by is not None or why is not None
    }


def is_gone(run: Run) -> Any:
    """Of an item of this run: its record is deleted."""
    model: Any = run.record_type.model_class()
    return Value(True) if model is None else ~Exists(model._base_manager.filter(pk=OuterRef("record_id")))


# --- of many


def with_settled(runs: Any) -> Any:
    """Annotate runs with `settled`: how many of their first GLANCED failures are."""
    # By index from the first failure to the last one glanced at, whatever the run's size.
    own = RunItem.objects.filter(run_id=OuterRef(OuterRef("pk")), state=State.FAILURE).order_by("record_id")
    last = Coalesce(Subquery(own.values("record_id")[GLANCED - 1 : GLANCED]), Value(HIGHEST, BigIntegerField()))
    first = RunItem.objects.failed().filter(is_settled(), run_id=OuterRef("pk"), record_id__lte=last).order_by()
    number = Coalesce(Subquery(first.values("run_id").annotate(n=Count("record_id")).values("n")), 0)
    known = When(Q(failed=0) | Q(settled_at__isnull=False), then=F("failed"))
    return runs.annotate(settled=Case(known, default=number, output_field=BigIntegerField()))


def with_failures(runs: Any) -> Any:
    """Those with failures that stand, or with more than are glanced at and not known to be settled."""
    return with_settled(runs.filter(failed__gt=0, settled_at=None)).filter(failed__gt=F("settled"))


def in_words(run: Any) -> str:
    """What became of its failures, of a run `with_settled`; "" while nothing has."""
    if not run.settled:
        return ""
    if run.settled >= run.failed:
        return _("all settled since")
    if run.failed > GLANCED:
        return _("some settled since")
    left = run.failed - run.settled
    return ngettext("%s still failing", "%s still failing", left) % f"{left:,}"


# --- settled for ever


def settle(runs: Iterable[Run]) -> int:
    """Mark those among these runs that have ended, and of whose failures none is left."""
    done = 0
    for run in runs:
        failures = RunItem.objects.of(run).failed()
        # Counted besides: what retention has taken says nothing.
        if not standing(failures).exists() and failures.count() == run.failed:
            done += Run.objects.filter(pk=run.pk, settled_at=None, finished_at__isnull=False).update(
                settled_at=timezone.now()
            )
    return done


def settle_before(run: Run) -> None:
    """What a run that has ended may have mended: failures of the runs of its task, and of those that it includes."""
    if run.succeeded:
        included = Q(task__name__in=including().get(run.task.name, ()))
        settle(unsettled().filter(included | Q(task_id=run.task_id), finished_at__isnull=False))
