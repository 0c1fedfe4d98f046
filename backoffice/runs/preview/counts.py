"""How many records a start would work on, how many it would skip and why, and how many need it."""

from dataclasses import dataclass
from typing import Any

from .. import labels, snapshot
from ..models import TaskName
from ..registry import RecordTask, asked_for
from ..snapshot import Records
from ..start import RunRequest, check


@dataclass(frozen=True)
class Preview:
    """What a start would do: how many records match, how many of them it would work on, and how many it would skip for
    which reason, in words. Ids without a record count as matched and skipped. `needed`: how many of those need it; None
    where the task does not say."""

    matched: int
    eligible: int
    skipped: dict[str, int]
    needed: int | None = None


def preview(records: Records, task: RecordTask | str, *, by: Any = None) -> Preview:
    """What `start` would make of these records now, by the same questions; nothing is written.

    Takes what `start` takes, and raises what it raises; where nothing is left to do, `eligible` is 0.
    """
    task = asked_for(task)
    check(task, RunRequest(by))
    matching, ids = snapshot.chosen(records, task)
    matched = matching.count()
    fit = snapshot.eligible(matching, task)
    fit_count = matched if task.eligible is None else fit.count()
    is_busy = snapshot.active(TaskName.objects.filter(name=task.name).first())
    busy = fit.filter(is_busy).count()
    gone = max((ids or 0) - matched, 0)
    skipped = snapshot.reasons(unfit=matched - fit_count, busy=busy, gone=gone)
    needed = None if task.needs is None else snapshot.needing(fit.exclude(is_busy), task).count()
    return Preview(matched + gone, fit_count - busy, labels.skip_words(task.name, skipped), needed)


def needless(records: Records, task: RecordTask) -> bool:
    """Whether there are some that `start` would work on, and none of them needs it."""
    if task.needs is None:
        return False
    fit = snapshot.eligible(snapshot.chosen(records, task)[0], task)
    return fit.exists() and not snapshot.needing(fit, task).exists()
