"""Failures by what went wrong: the newest, by task, exception type and message without its particulars.

Of the records of runs, and of tasks called outside of them. The groups are computed when somebody looks, over at most
NEWEST of each, read from an index: a bound that holds whatever the tables' size, and that the page says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr
from django.utils.translation import gettext as _

from backoffice.results import activity
from backoffice.runs import access
from backoffice.runs.counting import groups as alike
from backoffice.runs.failing import dismissing, standing
from backoffice.runs.labels import task_label
from backoffice.runs.models import Run, RunItem, TaskName
from backoffice.runs.registry import find
from backoffice.runs.start import EmptySelection, RunRequest, start_requested

from . import failed_calls
from .failed_calls import FailedCall

NEWEST = 2_000  # failed items looked at: a page in about 0.2 s with 50,000 of them among a million items
RUNS = 500  # of a person's own runs, for those who may not see everybody's


@dataclass(frozen=True, slots=True)
class Failure:
    run_id: int
    record_id: int
    task_no: int
    at: datetime
    error: str
    is_settled: bool = False


@dataclass(slots=True)
class Group:
    """One thing that goes wrong."""

    fingerprint: str
    kind: str
    message: str
    task: str
    example: str
    task_no: int | None  # None: calls outside of runs
    failures: list[Any] = field(default_factory=list)  # Failure, or FailedCall

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.message}" if self.kind else self.message

    @property
    def label(self) -> str:
        return task_label(self.task) if self.task else _("unknown")

    @property
    def is_calls(self) -> bool:
        return self.task_no is None

    @property
    def count(self) -> int:
        return len(self.failures)

    @property
    def first(self) -> datetime:
        return min(failure.at for failure in self.failures)

    @property
    def last(self) -> datetime:
        return max(failure.at for failure in self.failures)

    @property
    def record_ids(self) -> set[int]:
        return {failure.record_id for failure in self.failures}

    @property
    def run_ids(self) -> set[int]:
        return {failure.run_id for failure in self.failures}

    def has(self, words: str) -> bool:
        text = f"{self.label} {self.task} {self.kind} {self.message} {self.example}".lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True, slots=True)
class Found:
    groups: list[Group]
    looked_at: int
    is_all: bool
    calls_looked_at: int
    is_all_calls: bool


def groups(user: Any, words: str = "") -> Found:
    """The groups this person may see, the latest first."""
    newest = list(rows(user)[: NEWEST + 1])
    calls, calls_looked_at, is_all_calls = failed_calls.newest(user)
    stand = (failure for failure in map(as_failure, newest[:NEWEST]) if not failure.is_settled)
    found = [*grouped(of_items(stand)), *grouped(of_calls(calls))]
    matching = [group for group in found if group.has(words)]
    matching.sort(key=lambda group: group.last, reverse=True)
    return Found(matching, min(len(newest), NEWEST), len(newest) <= NEWEST, calls_looked_at, is_all_calls)


def of_items(failures: Iterable[Failure]) -> Iterator[tuple[Failure, Group]]:
    """Each failure with the group it would begin."""
    tasks = {task.pk: task.name for task in TaskName.objects.all()}
    for failure in failures:
        own = alike.of(failure.task_no, failure.error)
        said = alike.split(failure.error)[1]
        yield failure, Group(*own, tasks.get(failure.task_no, "?"), said, failure.task_no)


def of_calls(calls: Iterable[FailedCall]) -> Iterator[tuple[FailedCall, Group]]:
    for call in calls:
        message = alike.normalise(call.error)
        fingerprint = alike.fingerprint_of(call.task, call.kind, message)
        yield call, Group(fingerprint, call.kind, message, call.task, call.error, None)


def grouped(failures: Iterable[tuple[Any, Group]]) -> Iterable[Group]:
    found: dict[str, Group] = {}
    for failure, group in failures:
        found.setdefault(group.fingerprint, group).failures.append(failure)
    return found.values()


def one(user: Any, fingerprint: str) -> Group | None:
    return next((group for group in groups(user).groups if group.fingerprint == fingerprint), None)


def rows(user: Any) -> QuerySet[Any, Any]:
    """Failed items of runs that are not settled, the newest run first, which is the order of the index of failures."""
    failed = RunItem.objects.failed().filter(run__settled_at=None)
    if not user.has_perm("runs.view_run"):
        own = standing.unsettled().visible_to(user).order_by("-pk")
        failed = failed.filter(run_id__in=list(own.values_list("pk", flat=True)[:RUNS]))
    start_of_error = Substr("error", 1, alike.MESSAGE)
    return failed.order_by("-run_id", "-record_id").values_list(
        "run_id", "record_id", "task_no", "finished_at", start_of_error, standing.is_settled()
    )


def as_failure(row: tuple[Any, ...]) -> Failure:
    return Failure(*row)


def latest(group: Group) -> list[Failure]:
    """The newest failure of each record that is there."""
    found: dict[int, Failure] = {}
    for failure in group.failures:
        known = found.get(failure.record_id)
        if known is None or failure.run_id > known.run_id:
            found[failure.record_id] = failure
    there = existing(group)
    return [failure for record_id, failure in found.items() if record_id in there]


def retryable(user: Any, failures: Iterable[Failure]) -> list[Failure]:
    """Those of runs that this person may retry."""
    failures = list(failures)
    runs = Run.objects.select_related("task").in_bulk({failure.run_id for failure in failures})
    allowed = {pk for pk, run in runs.items() if access.may_retry(user, run)}
    return [failure for failure in failures if failure.run_id in allowed]


def retry(group: Group, by: Any, form_token: str | None = None) -> Run:
    """A new run over what still fails. Raises EmptySelection when nothing does, or nothing this person may retry."""
    if form_token and (made := Run.objects.filter(form_token=form_token).first()):
        return made
    chosen = retryable(by, latest(group))
    task = find(TaskName.objects.get(pk=group.task_no or 0).name)
    asked, reason = asked_alike(Run.objects.filter(pk__in={failure.run_id for failure in chosen}))
    run = start_requested(
        task.record_model._base_manager.filter(pk__in=[failure.record_id for failure in chosen]),
        task,
        RunRequest(
            requester=by,
            source=Run.Source.RETRY,
            selection=_("Failures “%s”") % group.name,
            form_token=form_token,
            parameters=asked if task.parameters else {},
            reason=reason,
        ),
    )
    activity.log(
        by, "failures.retried", run, group=group.name, fingerprint=group.fingerprint, runs=sorted(group.run_ids)[:50]
    )
    return run


def asked_alike(runs: Iterable[Run]) -> tuple[Mapping[str, Any], str]:
    """The parameters of all of them, and their reasons. Raises EmptySelection where the parameters differ: one run has
    one set."""
    runs = list(runs)
    every = [run.parameters for run in runs]
    if any(each != every[0] for each in every):
        told = _("These failures are of runs with different parameters: retry them on the pages of their runs.")
        raise EmptySelection(told)
    reasons = dict.fromkeys(run.reason for run in runs if run.reason)
    return (every[0] if every else {}), " / ".join(reasons)


# --- of records that are deleted


def gone(user: Any, group: Group) -> dict[Run, list[int]]:
    """The group's records that are deleted, by run; of the runs whose failures this person may dismiss."""
    runs = Run.objects.select_related("task").in_bulk(group.run_ids)
    found: dict[Run, list[int]] = {}
    there = existing(group)
    for failure in group.failures:
        run = runs.get(failure.run_id)
        if run and failure.record_id not in there and access.may_dismiss(user, run):
            found.setdefault(run, []).append(failure.record_id)
    return found


def existing(group: Group) -> set[int]:
    """Those of its records that are there; all, as far as is known, where the task is not."""
    try:
        records = find(group.task).record_model._base_manager
    except LookupError:
        return group.record_ids
    return set(records.filter(pk__in=group.record_ids).values_list("pk", flat=True))


def dismiss(group: Group, by: Any, reason: str) -> int:
    """The failures of its deleted records. Raises NoReason."""
    return dismissing.dismiss(gone(by, group), by, reason)
