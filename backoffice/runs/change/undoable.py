"""What an undo of a run would do, before anybody asks for it; and why a run cannot be undone."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.results import activity
from backoffice.results.models import Activity

from ..models import ChangeSet, Run
from ..registry import RecordTask, record_tasks
from . import restore

AT_ONCE = 1_000  # change sets compared with their records in one go
LISTED = 50  # of those that moved
FIRST = 3  # of those that would be set back
LOOKED_AT = 4_000  # change sets that a page looks at; all, when asked for
DROPPED = {"verb": "retention.deleted", "details__kind": "changes"}


def changed_by(run: Run) -> QuerySet[ChangeSet]:
    return ChangeSet.objects.filter(run=run)


def refusal(run: Run) -> str:
    """Why it cannot be undone; "" if it can."""
    told = {"run": run.pk, "task": run.task.name}
    if run.finished_at is None and run.cancelled_at:
        return _("Run %(run)d is being cancelled: undo it when it has ended.") % told
    if run.finished_at is None:
        return _("Run %(run)d has not ended: cancel it, then undo it.") % told
    task = record_tasks().get(run.task.name)
    if task is None:
        return _("The task “%(task)s” of run %(run)d is not here any more: nobody knows how to undo it.") % told
    if changed_by(run).exists():
        return ""
    if not task.change_sets:
        return _("The task “%(task)s” keeps nothing of what it changes, so there is nothing to undo it by.") % told
    if dropped(run):
        return _("What run %(run)d changed is no longer known: retention has dropped it.") % told
    return _("Run %(run)d changed nothing.") % told


def purpose(run: Run) -> Run.Purpose:
    """Of a run that takes it back."""
    return Run.Purpose.REDO if run.purpose == Run.Purpose.UNDO else Run.Purpose.UNDO


def dropped(run: Run) -> int:
    """Records of which retention has deleted what the run changed."""
    said = Activity.objects.filter(model=activity.label_of(Run), object_id=str(run.pk), **DROPPED)
    return sum(int(details.get("number", 0)) for details in said.values_list("details", flat=True))


@dataclass(slots=True)
class Outlook:
    """How many records an undo would restore, and would not; of the first ones only, if it says so."""

    restorable: int = 0
    as_before: int = 0
    deleted: int = 0
    moved: int = 0
    listed: list[tuple[int, restore.Moved]] = field(default_factory=list)
    first: list[int] = field(default_factory=list)  # of those that can be set back
    dropped: int = 0
    only_first: str = ""  # so many were looked at, in words; empty: all

    @property
    def looked_at(self) -> int:
        return self.restorable + self.as_before + self.deleted + self.moved


def outlook(run: Run, task: RecordTask, *, whole: bool = False, only: int | None = None) -> Outlook:
    """Of its records, or of the `only` one. A page's worth of the first, unless the `whole` is asked for."""
    made = Outlook(dropped=dropped(run) if only is None else 0)
    rows = changed_by(run) if only is None else changed_by(run).filter(record_id=only)
    for found in _in_pages(rows):
        if made.looked_at >= LOOKED_AT and not whole:
            made.only_first = f"{made.looked_at:,}"
            break
        _look(made, restore.Restoring(task, run, {each.record_id: each for each in found}))
    return made


def _in_pages(rows: QuerySet[ChangeSet]) -> Iterator[list[ChangeSet]]:
    rows = rows.order_by("record_id")
    page = list(rows[:AT_ONCE])
    while page:
        yield page
        page = list(rows.filter(record_id__gt=page[-1].record_id)[:AT_ONCE]) if len(page) == AT_ONCE else []


def _look(made: Outlook, restoring: restore.Restoring) -> None:
    records = restoring.compared_records.in_bulk(list(restoring.found))
    for pk in restoring.found:
        if pk not in records:
            made.deleted += 1
            continue
        try:
            known = restoring.look(records[pk])
        except restore.Moved as why:
            made.moved += 1
            if len(made.listed) < LISTED:
                made.listed.append((pk, why))
        else:
            made.as_before += bool(known.moved)
            made.restorable += not known.moved
            if not known.moved and len(made.first) < FIRST:
                made.first.append(pk)
