"""Which failed task results are settled, of records and of calls outside of runs.

A record's is as the ledger says. A call's is once it was run again from here with success, once a later run of its
record task succeeded with its record, or once somebody has dismissed it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from celery import states
from django.db.models import Max
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from backoffice.results import rows
from backoffice.results.models import Activity
from backoffice.runs.failing.standing import is_settled, settled_among
from backoffice.runs.ids import split_task_id
from backoffice.runs.models import Dismissal, Run, RunItem, State, TaskName
from backoffice.runs.registry import record_tasks

from ..parts.links import admin_url

GROUP = "desk.failuregroup"  # under this label the log keeps which calls of a group were run again, and as which
NEWEST = 500  # entries of the log looked at


class Failed(NamedTuple):
    """A failed task result."""

    pk: int
    task_id: str
    task: str | None
    at: datetime


def settled(results: list[Failed]) -> set[str]:
    """The task ids of those that are."""
    items = {each.task_id: item for each in results if (item := split_task_id(each.task_id))}
    calls = [each for each in results if each.task_id not in items]
    found = settled_items(items) if items else set()
    return found | set(settled_calls(calls)) if calls else found


def in_words(result: Any, run: Run | None, user: Any) -> tuple[str, str]:
    """Of a failed task result, how it was settled, and the address of the run that mended it; "" while it stands."""
    item = split_task_id(result.task_id)
    if run is None or item is None:
        each = Failed(result.pk, result.task_id, result.task_name, result.date_done)
        return (_("run again with success, mended by a later run, or dismissed") if settled([each]) else ""), ""
    how = settled_among(run, [item[1]]).get(item[1])
    if how is None or how.is_gone:
        return "", ""
    if how.run_id is None:
        return _("dismissed by %(who)s: %(reason)s") % {"who": how.dismissed_by, "reason": how.reason}, ""
    mending = Run.objects.visible_to(user).filter(pk=how.run_id).first()
    return _("mended by run %d") % how.run_id, admin_url(mending) if mending else ""


def settled_items(items: dict[str, tuple[str, int]]) -> set[str]:
    # By the records' history: of many runs and many records the key would be tried for each pair.
    failed = RunItem.objects.failed().filter(is_settled(), finished_at__isnull=False)
    tasks = list(TaskName.objects.values_list("pk", flat=True))
    known = failed.filter(record_id__in={record_id for _uid, record_id in items.values()}, task_no__in=tasks)
    done = set(known.values_list("run__uid", "record_id"))
    return {task_id for task_id, item in items.items() if item in done}


def settled_calls(calls: list[Failed]) -> Iterator[str]:
    yield from Dismissal.objects.filter(task_id__in=[call.task_id for call in calls]).values_list("task_id", flat=True)
    yield from run_again_with_success()
    yield from mended_by_runs([call for call in calls if call.task in record_tasks()])


def run_again_with_success() -> Iterator[str]:
    entries = Activity.objects.filter(model=GROUP).order_by("-pk").values_list("details__again", flat=True)
    again: dict[str, list[str]] = {}
    for entry in entries[:NEWEST]:
        again |= entry or {}
    done = (
        TaskResult.objects.filter(task_id__in=list(again), status=states.SUCCESS)
        if again
        else TaskResult.objects.none()
    )
    succeeded = list(done.values_list("task_id", flat=True))
    while succeeded:  # and those it was the last of
        before = again.get(succeeded.pop(), [])
        succeeded += before
        yield from before


def mended_by_runs(calls: list[Failed]) -> Iterator[str]:
    """Of record tasks that were called by id."""
    numbers = dict(TaskName.objects.filter(name__in={call.task for call in calls}).values_list("name", "pk"))
    records = dict(about(calls)) if numbers else {}
    if not records:
        return
    ended = RunItem.objects.filter(record_id__in=set(records.values()), task_no__in=numbers.values())
    succeeded = ended.filter(finished_at__isnull=False, state=State.SUCCESS).order_by()
    newest = {(no, pk): at for no, pk, at in succeeded.values_list("task_no", "record_id").annotate(Max("finished_at"))}
    for call in calls:
        at = newest.get((numbers.get(call.task or "", 0), records.get(call.pk, 0)))
        if at and at > call.at:
            yield call.task_id


def about(calls: list[Failed]) -> Iterator[tuple[int, int]]:
    """Each result with the id of the record that the call names."""
    kept = TaskResult.objects.filter(pk__in=[call.pk for call in calls])
    for pk, args, kwargs in kept.values_list("pk", "task_args", "task_kwargs"):
        given, named = rows.loads(args), rows.loads(kwargs or "{}")
        record_id: Any = given[0] if isinstance(given, list) and given else None
        if isinstance(named, dict):
            record_id = named.get("instance_id", record_id)
        if isinstance(record_id, int):
            yield pk, record_id
