"""What staff do to a run once it is there: cancel it, retry what failed, undo it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.results import activity

from . import access, snapshot
from .change import undoable
from .counting import groups
from .database.again import again
from .engine import broker, error_kinds, ledger
from .failing import standing
from .models import Chunk, Run, RunItem, State, Tally
from .registry import find
from .start import EmptySelection, RunRequest, start_over, start_requested

BATCH = 2_000  # items cancelled in one transaction: well under a second, on either database


class Cancelled(NamedTuple):
    undone: int = 0  # records nobody has begun
    in_hand: int = 0  # records that workers still finish, or give back


def _is_person(by: Any) -> bool:
    return hasattr(by, "has_perm")


def _refuse(by: Any, refusal: Callable[[Any, Run], str], run: Run) -> None:
    """Whatever the door; a name is that of a program or of a shell's user."""
    if _is_person(by) and (why := refusal(by, run)):
        raise PermissionDenied(why)


def cancel(run: Run, by: Any) -> Cancelled:
    """Stop a run before its next claim. Returns what that stops; nothing when it had ended already. `by`: a user, or a
    name. Raises PermissionDenied for a user who may not.

    Cancel is a row, not a signal: workers read it before each claim, whatever is restarted. What is done stays done,
    and what a worker holds is finished or given back: `run.wait()` tells when it has ended.
    """
    _refuse(by, access.cancel_refusal, run)
    left = _stop(run, by)
    if left is None:
        return Cancelled()
    if revoke(run):
        broker.sweep_soon()
    run.refresh_from_db()
    return left


@again()
def _stop(run: Run, by: Any) -> Cancelled | None:
    """Write the row; None when the run had ended, or was cancelled, already."""
    with transaction.atomic():
        won = Run.objects.filter(pk=run.pk, finished_at=None, cancelled_at=None).update(
            cancelled_at=timezone.now(), cancelled_by=activity.name_of(by or "")
        )
        run.refresh_from_db()
        if not won:
            return None
        left = _left(run)
        activity.log(by, "run.cancelled", run, left_undone=left.undone, in_hand=left.in_hand)
    return left


def _left(run: Run) -> Cancelled:
    """Counted in one statement: what a worker writes meanwhile is in it whole, or not at all."""
    by_state = dict(RunItem.objects.of(run).open().order_by().values_list("state").annotate(n=Count("record_id")))
    in_hand = by_state.pop(State.STARTED, 0)
    return Cancelled(sum(by_state.values()), in_hand)


@again()
def revoke(run: Run) -> bool:
    """Make a batch of a cancelled run's waiting items REVOKED. True when more are waiting."""
    with transaction.atomic():
        Chunk.objects.filter(run=run, claimed_at=None)._raw_delete("default")
        waiting = RunItem.objects.of(run).filter(state__in=(State.PENDING, State.RETRY))
        # Locked, or a claim or a second sweep would take some of them meanwhile. Items before their run, as everywhere.
        ids = list(waiting.order_by("record_id").select_for_update().values_list("record_id", "retries")[: BATCH + 1])
        transitions = [
            ledger.Transition(record_id, State.REVOKED, error=_cancelled(run), retries=retries,
                    result=ledger.REVOKED)
            for record_id, retries in ids[:BATCH]
        ]  # fmt: skip
        ledger.write(run, transitions, "", owner=None)
    return len(ids) > BATCH


def _cancelled(run: Run) -> str:
    return _("Run cancelled by %s") % run.cancelled_by + (f": {run.cancel_reason}" if run.cancel_reason else "")


def retry(
    run: Run, by: Any, *, record_ids: Sequence[int] | None = None, error: str = "", alike: str = "",
    form_token: str | None = None,
) -> Run:  # fmt: skip
    """Start a new run over the failed records of this one: all, those of `record_ids`, of one kind of `error` (the
    exception's name), or `alike` (a group's key); not over what a later run has mended. `by`: a user, or a name. A
    second call with one `form_token` gives one run.

    Raises EmptySelection where there are none, LookupError where the task is gone, PermissionDenied for a user who may
    not.
    """
    _refuse(by, access.retry_refusal, run)
    if form_token and (made := Run.objects.filter(form_token=form_token).first()):
        return made  # it may have mended them by now
    failed, selection = _failed(run, error, alike)
    if record_ids is not None:
        failed, selection = failed.filter(record_id__in=record_ids), _("Selected failed records of run %d") % run.pk
    task = find(run.task.name)
    if run.failed and not failed.exists():
        raise EmptySelection(_("Nothing is left to retry: later runs mended these failures, or they were dismissed."))
    if run.is_undo:
        return start_over(failed.order_by().values("record_id"), task, _again(run, by, selection, form_token))
    return start_requested(
        task.record_model._base_manager.filter(pk__in=failed.values("record_id")),
        task,
        RunRequest(
            requester=by,
            source=Run.Source.RETRY,
            selection=selection,
            parameters=run.parameters if task.parameters else {},
            reason=run.reason,
            form_token=form_token,
            retry_of=run,
        ),
    )


def _failed(run: Run, error: str, alike: str) -> tuple[Any, str]:
    """The failures that stand, of this kind or group if one is given, and their name."""
    failed = standing.standing(error_kinds.failed(run, error))
    if not (error or alike):
        return failed, _("Failed records of run %d") % run.pk
    if alike:
        words = run.tallies.filter(kind=Tally.Kind.FAILURE, key=alike).values_list("words", flat=True).first()
        failed, error = failed.filter(alike=alike), groups.in_words(words or alike)
    return failed, _("Records of run %(run)d that failed with %(error)s") % {"run": run.pk, "error": error}


def _again(run: Run, by: Any, selection: str, form_token: str | None) -> RunRequest:
    return RunRequest(
        requester=by, source=Run.Source.RETRY, selection=selection, reason=run.reason, form_token=form_token,
        retry_of=run, purpose=run.purpose, undoes=run.undoes,
    )  # fmt: skip


def undo(
    run: Run, by: Any, *, records: Iterable[int] | None = None, reason: str = "", form_token: str | None = None
) -> Run:
    """Start a run that takes back what this one changed: in all its records, or those of these ids. `by`: a user, or a
    name. A second call with one `form_token` gives one run.

    A record in which one of these fields has changed since is left alone, and counted in `conflicts`. Raises
    EmptySelection, with the reason, where the run cannot be undone or has changed none of them; PermissionDenied for a
    user who may not; ValueError for a reason that is missing or too long; LookupError where the task is gone.
    """
    _refuse(by, access.undo_refusal, run)
    task = find(run.task.name)
    if refusal := undoable.refusal(run):
        raise EmptySelection(refusal)
    changed, selection, asked = undoable.changed_by(run), _("What run %d changed") % run.pk, None
    if records is not None:
        ids = snapshot.given(records, task)
        changed, asked = changed.filter(record_id__in=snapshot.listed(ids)), len(ids)
        selection = _("Selected records that run %d changed") % run.pk
    if not changed.exists():
        raise EmptySelection(_("Run %d changed none of these records.") % run.pk)
    request = RunRequest(
        requester=by, source=Run.Source.ACTION if _is_person(by) else Run.Source.COMMAND, selection=selection,
        reason=reason, form_token=form_token, asked=asked, purpose=undoable.purpose(run), undoes=run,
    )  # fmt: skip
    return start_over(changed.values("record_id"), task, request)
