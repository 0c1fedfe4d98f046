"""Failures of tasks outside of runs, called directly or by a schedule: the newest, and what can be run again.

Looked for by windows of ids for a part of a second, whatever the table's size; the page says how many were looked at.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from celery import states
from django.db import transaction
from django.db.models.functions import Substr
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from backoffice.results import activity, rows
from backoffice.results.models import Activity
from backoffice.results.values import redaction
from backoffice.results.values.text import storable
from backoffice.runs.engine.broker import UNREACHABLE
from backoffice.runs.failing import dismissing
from backoffice.runs.registry import record_tasks, registered
from backoffice.schedules.rules import permitted

from ..parts.documents import is_deep
from ..parts.keyset import Look, edge
from .settled import GROUP, Failed, settled

NEWEST = 1_000  # failed calls looked at
START = 1_200  # characters of a stored error
AT_ONCE = 100  # calls run again by one press
CUT = re.compile(r'\{"exc_type": "([\w.]+)", "exc_message": \[?"?(.*)', re.DOTALL)
REPR = re.compile(r"<.* at 0x[0-9a-f]+>|[\w.]+\(.*\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FailedCall:
    pk: int
    task: str
    task_id: str
    at: datetime
    kind: str
    error: str


@dataclass(frozen=True, slots=True)
class Call:
    """What it takes to call the task once more, for all that failed with these arguments."""

    args: list[Any]
    kwargs: dict[str, Any]
    task_ids: list[str] = field(default_factory=list)


def newest(user: Any) -> tuple[list[FailedCall], int, bool]:
    """Those of the newest failed calls that stand, how many were looked at, and whether these are all. Nothing for
    those who may not see task results."""
    if not user.has_perm("django_celery_results.view_taskresult"):
        return [], 0, True
    # An item's task id has a dash behind the run's uid; a call's, a UUID with dashes, has none in that place.
    failed = TaskResult.objects.filter(status=states.FAILURE).annotate(
        mark=Substr("task_id", 33, 1), said=Substr("result", 1, START)
    )
    rows = failed.exclude(mark="-").only("pk", "task_name", "task_id", "date_done")
    found = Look(rows, NEWEST + 1).back((edge(rows, "-pk") or 0) + 1)
    calls = [
        FailedCall(row.pk, row.task_name or "", row.task_id, row.date_done, *error_of(row.said)) for row in found.rows
    ]
    over = settled([Failed(call.pk, call.task_id, call.task, call.at) for call in calls])
    looked_at = calls[:NEWEST]
    is_all = found.stopped_at is None and len(calls) <= NEWEST
    return [call for call in looked_at if call.task_id not in over], len(looked_at), is_all


def error_of(said: str | None) -> tuple[str, str]:
    """Exception type and message, of a stored error that may have been cut off."""
    try:
        error = json.loads(said or "")
    except (ValueError, RecursionError):
        cut = CUT.match(said or "")
        return (cut[1], cut[2]) if cut else ("", said or "")
    if not isinstance(error, dict):
        return "", storable(str(error))
    message = error.get("exc_message")
    words = ", ".join(map(str, message)) if isinstance(message, list) else str(message or "")
    return storable(str(error.get("exc_type") or "")), storable(words)


# --- running them again


def refusal(user: Any, task_name: str) -> str:
    """Why no call of this task can be run again from here by this person; "" if one may."""
    task = registered().get(task_name)
    if task is None:
        return _("This installation has no task called “%s”, so it cannot be run again.") % (task_name or _("unknown"))
    if redaction.sensitive(task_name):
        return _(
            "It takes arguments that are not kept because they are sensitive, so only its caller can run it again."
        )
    if permitted.is_system(task_name) or not (task_name in permitted.offered() or task_name in record_tasks()):
        return _(
            "It is not one of the tasks that staff may start, so only the program that called it can run it again."
        )
    if not (user.has_perm("runs.retry_run") and permitted.may_schedule(user, task_name, {})):
        return _("You have no permission to run it again.")
    return ""


def repeatable(task_name: str, failed: list[FailedCall], done: set[str]) -> list[Call]:
    """One call for each set of arguments that is kept exactly and was not run again; the newest first."""
    task = registered()[task_name]
    calls: dict[str, Call] = {}
    waiting = [call.pk for call in failed if call.task_id not in done]
    kept = TaskResult.objects.filter(pk__in=waiting).order_by("-pk")
    for task_id, args, kwargs in kept.values_list("task_id", "task_args", "task_kwargs"):
        given = arguments(args, kwargs)
        if given is not None and not permitted.misfit(task, *given):
            calls.setdefault(f"{args}{kwargs}", Call(*given)).task_ids.append(task_id)
    return list(calls.values())


def arguments(args: str | None, kwargs: str | None) -> tuple[list[Any], dict[str, Any]] | None:
    """As they were given; None where only their description is kept: text, or what JSON has no word for."""
    given = rows.loads(args), rows.loads(kwargs or "{}")
    fits = isinstance(given[0], list) and isinstance(given[1], dict) and not is_deep(given)
    return given if fits and not any(map(is_description, leaves(given))) else None


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        yield value
        return
    for each in value:
        yield from leaves(each)


def is_description(value: Any) -> bool:
    return isinstance(value, str) and (value == redaction.MASK or REPR.fullmatch(value) is not None)


def run_again_already(fingerprint: str) -> set[str]:
    """The task ids of this group's calls that were run again; from the log, by its index."""
    entries = Activity.objects.filter(model=GROUP, object_id=fingerprint)
    return {task_id for calls in entries.values_list("details__calls", flat=True) for task_id in calls or ()}


def run_again(group: Any, by: Any) -> tuple[int, int]:
    """Send what can be repeated, once. Returns how many calls the broker took, and how many were to be sent."""
    with transaction.atomic():
        # Held, so that of two who press at once the second finds them run again.
        list(TaskResult.objects.filter(pk__in=[call.pk for call in group.failures]).order_by("pk").select_for_update()
             .values_list("pk"))  # fmt: skip
        calls = repeatable(group.task, group.failures, run_again_already(group.fingerprint))[:AT_ONCE]
        ids = publish(group.task, calls)
        sent = calls[: len(ids)]
        if sent:
            again = {task_id: call.task_ids for task_id, call in zip(ids, sent, strict=True)}
            task_ids = [task_id for call in sent for task_id in call.task_ids]
            subject = activity.Subject(group.task, GROUP, group.fingerprint)
            activity.log(by, "failures.run_again", subject, group=group.name, calls=task_ids, again=again)
    return len(sent), len(calls)


def publish(task_name: str, calls: list[Call]) -> list[str]:
    """The new task ids of those that the broker took."""
    task, ids = registered()[task_name], []
    for call in calls:
        try:
            ids.append(task.apply_async(call.args, call.kwargs, retry=False).id)
        except UNREACHABLE:
            break
    return ids


# --- dismissing them


def may_dismiss(user: Any) -> bool:
    return bool(user.has_perm("runs.add_dismissal") and user.has_perm("django_celery_results.view_taskresult"))


def dismiss(group: Any, by: Any, reason: str) -> int:
    """All of the group's that stand. Raises NoReason."""
    task_ids = [call.task_id for call in group.failures]
    with transaction.atomic():
        number = dismissing.dismiss_calls(task_ids, by, reason)
        subject = activity.Subject(group.task, GROUP, group.fingerprint)
        activity.log(by, "failures.dismissed", subject, group=group.name, reason=reason.strip(), dismissed=task_ids)
    return number
