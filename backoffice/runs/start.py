"""Starting runs: a snapshot of the selection in one transaction, published after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.results import activity

from . import access, snapshot
from . import parameters as asked
from .database import references
from .database.again import again
from .engine import broker, slicing
from .engine.ledger import close
from .forms.reason import too_long
from .labels import asked_plainly, skip_words, task_label
from .models import Run, RunItem, TaskName
from .registry import RecordTask, asked_for, find
from .snapshot import Records


class EmptySelection(ValueError):
    """Nothing is left to do; the text says why, for staff."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Who asks for a run, and how: what the run keeps beside its records.

    `requester`: a user, who must be allowed to start the task, or a name. `due_at`: in the future; until then the run
    keeps its snapshot and waits. `selection`: in words. `form_token`: one seen before gives the run it made. `asked`:
    how many records were ticked; those that are no longer among the selected count as skipped. `only_needed`: of those
    that match only the records that need the task.
    """

    requester: Any = None
    source: str = Run.Source.ACTION
    due_at: datetime | None = None
    selection: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    form_token: str | None = None
    schedule: models.Model | None = None
    schedule_name: str = ""
    retry_of: Run | None = None
    purpose: str = Run.Purpose.REAL
    undoes: Run | None = None
    asked: int | None = None
    only_needed: bool = False

    @property
    def is_a_persons(self) -> bool:
        """Whoever may have rights, signed in or not; a name is a program's."""
        return hasattr(self.requester, "has_perm")

    def run(self, task: RecordTask) -> Run:
        return Run(
            task=task_name(task),
            record_type=ContentType.objects.get_for_model(task.record_model),
            source=self.source,
            requester_id=self.requester.pk if isinstance(self.requester, models.Model) else None,
            requester_name=activity.name_of(self.requester or ""),
            due_at=self.due_at,
            selection=self.in_words,
            parameters=dict(self.parameters),
            reason=self.reason,
            form_token=self.form_token,
            schedule_id=self.schedule.pk if self.schedule else None,
            schedule_name=self.schedule_name,
            retry_of=self.retry_of,
            purpose=self.purpose,
            undoes=self.undoes,
        )

    @property
    def in_words(self) -> str:
        """Which records."""
        parts = [self.selection, _("only those that need it") if self.only_needed else ""]
        return "; ".join(filter(None, parts))

    def answered(self) -> Run | None:
        """The run that the same form made before."""
        return Run.objects.filter(form_token=self.form_token).first() if self.form_token else None


def start(
    records: Records,
    task: RecordTask | str,
    *,
    by: Any = None,
    selection: str = "",
    due_at: datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
    form_token: str | None = None,
    only_needed: bool = False,
) -> Run:
    """Start a run of a record task over records of its model; workers begin once the transaction has committed.

    `records`: a queryset, filtered and sliced as you like, or any iterable of ids; an id without a record is skipped
    and counted. `task`: the task itself, its name, or the last part of its name. `by`: the user who asks, or a name;
    the run's page and the activity log keep it. `selection`: which records, in words, up to 500 characters. `due_at`:
    an aware time in the future; until then the run keeps its snapshot and waits. `parameters`: the values of the task's
    form, by field. `reason`: why, up to 1,000 characters. `form_token`: up to 64 characters; a second start with the
    same one gives the first one's run. `only_needed`: of these records only those that need the task, as its `needs`
    says.

    Returns the run: `total` records are in it, `skipped` are not, `skip_reasons` says why, by codes. Raises
    EmptySelection when none is left; BadParameters, whose `errors` names the fields, when the form refuses; ValueError
    for records of another model, a time that has passed, a reason that is missing or too long, or needs that the task
    does not tell; TypeError for what is neither queryset nor ids, and for what is no record task; LookupError for a
    name that no task has; PermissionDenied for a user who may not start it.
    """
    request = RunRequest(
        by, due_at=due_at, selection=selection, parameters=parameters or {}, reason=reason, form_token=form_token,
        only_needed=only_needed,
    )  # fmt: skip
    if not request.is_a_persons:  # or its due time would ask after the rights of somebody deleted since
        request = replace(request, source=Run.Source.COMMAND)
    return start_requested(records, task, request)


@again()
def start_requested(records: Records, task: RecordTask | str, request: RunRequest) -> Run:
    """`start`, for those who know more about a run than whoever calls from code."""
    task = asked_for(task)
    check(task, request)
    _check_reason(task, request)
    request = replace(request, parameters=asked.checked(task, request.parameters))
    matching, ids = snapshot.chosen(records, task)
    return _made(
        request,
        task,
        partial(snapshot.write, matching, task, request.only_needed),
        request.asked if ids is None else ids,
    )


@again()
def start_over(ids: QuerySet[Any], task: RecordTask, request: RunRequest) -> Run:
    """A run over what `ids` name by `record_id`, be it eligible or not, there or gone: an undo."""
    check(task, request)
    _check_reason(task, request)
    return _made(request, task, partial(snapshot.write_ids, ids), request.asked)


def _made(request: RunRequest, task: RecordTask, write: snapshot.Write, asked: int | None) -> Run:
    run = request.run(task)
    try:
        with transaction.atomic():
            if made := request.answered():
                return made
            _write(run, task, write, asked)
    except IntegrityError:
        # The other half of a double click was faster by a hair.
        made = request.answered()
        if made is None:
            raise
        return made
    return run


def task_name(task: RecordTask) -> TaskName:
    return TaskName.objects.get_or_create(name=task.name)[0]


@again(IntegrityError)  # a click of the same moment took some of its records: now they are seen, and skipped
def activate(run_id: int) -> bool:
    """Start a run whose time has come. True for the one caller that did it."""
    if _turned_down(run_id):
        return False
    with transaction.atomic():
        # Compare and swap: the clocked row and the sweep may both come.
        won = Run.objects.filter(pk=run_id, activated_at=None, finished_at=None, cancelled_at=None).update(
            activated_at=timezone.now()
        )
        if not won:
            return False
        run = Run.objects.select_related("task", "record_type").get(pk=run_id)
        items = RunItem.objects.of(run)
        taken = RunItem.objects.filter(task_no=run.task_id, record_id=OuterRef("record_id"), active=True)
        busy, _rows = items.filter(models.Exists(taken)).delete()
        items.update(active=True)
        Run.objects.filter(pk=run.pk).update(total=F("total") - busy, skipped=F("skipped") + busy)
        run.refresh_from_db()
        run.skip_reasons = {**run.skip_reasons, **snapshot.reasons(busy=busy)}
        run.save(update_fields=["skip_reasons"])
        _send(run, find(run.task.name))
        activity.log(who_asked(run), "run.due", run, total=run.total, skipped=run.skipped)
    return True


def _turned_down(run_id: int) -> bool:
    """Cancel a planned run whose requester could not start it by hand any more. True when it was cancelled."""
    planned = Run.objects.filter(pk=run_id, activated_at=None, cancelled_at=None, finished_at=None)
    run = planned.select_related("task", "requester").first()
    if run is None or not (reason := _objection(run)):
        return False
    reason += " " + _("Whoever may start it selects the records and plans it anew.")
    with transaction.atomic():
        values = {"cancelled_at": timezone.now(), "cancelled_by": activity.SYSTEM, "cancel_reason": reason}
        if planned.update(**values):
            activity.log(None, "run.cancelled", run, reason=reason, requester=run.requester_name)
    return True


def _objection(run: Run) -> str:
    return access.objection(run) or asked.refusal(find(run.task.name), run.parameters)


def who_asked(run: Run) -> activity.Person:
    return activity.Person(run.requester_name, run.requester_id)


def check(task: RecordTask, request: RunRequest) -> None:
    if request.is_a_persons and (reason := access.refusal(request.requester, task)):
        raise PermissionDenied(reason)
    due_at = request.due_at
    if due_at is not None and not isinstance(due_at, datetime):
        raise TypeError(f"due_at takes a datetime with a time zone, not {due_at!r}.")
    if due_at and timezone.is_naive(due_at):
        raise ValueError(_("%(time)s names no time zone: give an aware time.") % {"time": due_at})
    if due_at and due_at <= timezone.now():
        raise ValueError(
            _("%(time)s has passed: choose a time in the future.") % {"time": due_at.strftime("%Y-%m-%d %H:%M %Z")}
        )
    if request.only_needed and task.needs is None:
        raise ValueError(_("“%(task)s” does not say which records need it.") % {"task": task_label(task.name)})


def _check_reason(task: RecordTask, request: RunRequest) -> None:
    if wrong := access.unexplained(task, request.source, request.reason):
        raise ValueError(wrong)
    if request.retry_of is None and (wrong := too_long(request.reason)):  # a retry has the reason of its run
        raise ValueError(wrong)


def _write(run: Run, task: RecordTask, write: snapshot.Write, asked: int | None) -> None:
    run.activated_at = None if run.due_at else timezone.now()
    _hold(run)
    run.save(force_insert=True)
    found = write(run)
    gone = max((asked or 0) - found.matched, 0)
    run.total, run.skipped = found.written, found.matched + gone - found.written
    run.skip_reasons = snapshot.reasons(**found.skipped(), gone=gone)
    if not found.written:
        raise EmptySelection(snapshot.nothing(found.matched + gone, skip_words(task.name, run.skip_reasons)))
    run.save(update_fields=["total", "skipped", "skip_reasons"])
    activity.log(
        who_asked(run), "run.started" if not run.due_at else "run.planned", run, task=run.task.name,
        source=run.source, total=run.total, skipped=run.skipped, selection=run.selection, **asked_plainly(run),
    )  # fmt: skip
    if run.undoes:
        activity.log(who_asked(run), "run.undone", run.undoes, undo=run.pk, total=run.total)
    if run.activated_at:
        _send(run, task)


def _hold(run: Run) -> None:
    """What the run names is not deleted until it has committed. Who or what was deleted before is named in words only;
    of a run that retention took before there is nothing left to retry."""
    if run.retry_of_id and not references.stays(Run, run.retry_of_id):
        raise EmptySelection(_("Run %d was deleted meanwhile, so there is nothing left to retry.") % run.retry_of_id)
    if run.undoes_id and not references.stays(Run, run.undoes_id):
        raise EmptySelection(_("Run %d was deleted meanwhile, so there is nothing left to undo.") % run.undoes_id)
    if run.requester_id and not references.stays(get_user_model(), run.requester_id):
        run.requester_id = None
    if run.schedule_id and not references.stays(Run._meta.get_field("schedule").related_model, run.schedule_id):
        run.schedule_id = None


def _send(run: Run, task: RecordTask) -> None:
    if run.total == 0:
        close(run)
        return
    chunks = slicing.cut(run, slicing.size_for(run.total, task.chunk_size), slicing.window())
    broker.after_commit(run, chunks)
