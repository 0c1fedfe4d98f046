"""Dismissing failures that nothing mends: of records that are deleted, and of plain calls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.results import activity
from backoffice.results.values.text import storable

from ..forms.reason import too_long
from ..models import Dismissal, Run, RunItem
from . import standing

AT_ONCE = 10_000


class NoReason(ValueError):
    """None that can be kept; the text is for staff."""


def gone(run: Run) -> Any:
    """The failures of a run that stand and whose records are deleted."""
    return standing.standing(RunItem.objects.of(run)).filter(standing.is_gone(run)).order_by("record_id")


def dismiss_gone(run: Run, by: Any, reason: str) -> int:
    """Dismiss the failures of this run's deleted records, AT_ONCE at most. Returns how many. Raises NoReason."""
    return dismiss({run: list(gone(run).values_list("record_id", flat=True)[:AT_ONCE])}, by, reason)


def dismiss(failures: Mapping[Run, Sequence[int]], by: Any, reason: str) -> int:
    """Dismiss the failures of these records, by run. Returns how many. Raises NoReason."""
    found = {run: ids for run, ids in failures.items() if ids}
    with transaction.atomic():
        number = write([Dismissal(run=run, record_id=pk) for run, ids in found.items() for pk in ids], by, reason)
        for run, ids in found.items():
            activity.log(by, "run.dismissed", run, reason=reason.strip(), records=ids[:50], number=len(ids))
        standing.settle(found)
    return number


def dismiss_calls(task_ids: Iterable[str], by: Any, reason: str) -> int:
    """Dismiss failed calls, by their task ids. Raises NoReason."""
    return write([Dismissal(task_id=task_id) for task_id in task_ids], by, reason)


def write(dismissals: list[Dismissal], by: Any, reason: str) -> int:
    """Once each: of two who dismiss at once, the second finds it done."""
    reason = reason.strip()
    if not reason:
        raise NoReason(_("Say why these failures need no more work: a dismissal has a reason."))
    if wrong := too_long(reason):
        raise NoReason(wrong)
    for each in dismissals:
        each.reason, each.by_id, each.by_name = storable(reason), activity.number_of(by), activity.name_of(by)
    Dismissal.objects.bulk_create(dismissals, batch_size=1_000, ignore_conflicts=True)
    return len(dismissals)
