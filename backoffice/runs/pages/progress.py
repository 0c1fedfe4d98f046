"""How far a run is, in one query."""

from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..failing import standing
from ..models import Chunk, Run, RunItem, State, state_label
from .run import bar, waiting
from .run.bar import ALONE

MARKS = {State.SUCCESS: "✓", State.FAILURE: "✕", State.REVOKED: "–"}  # of how it ended, for a tab's title


def with_counts(runs: Any) -> Any:
    """Annotate runs with `in_hand` (claimed) and `retrying`; both come from small tables or indexes."""
    claimed = Chunk.objects.filter(run=OuterRef("pk"), claimed_at__isnull=False).order_by().values("run")
    # Asked of all that wait, who are few: asked of one run's items, SQLite reads a million of them.
    retrying = RunItem.objects.filter(state=State.RETRY, due_at__isnull=False).order_by().values("state")
    return runs.annotate(
        in_hand=Coalesce(Subquery(claimed.annotate(n=Sum("size")).values("n")), 0),
        retrying=Coalesce(
            Subquery(retrying.annotate(n=Count("record_id", filter=Q(run=OuterRef("pk")))).values("n")), 0
        ),
    )


def counts(run: Any) -> list[tuple[str, str, int]]:
    """(state, word, number) for every state a record of this run may be in; they add up to its total."""
    retrying = min(run.retrying, run.open_items)
    in_hand = min(run.in_hand, run.open_items - retrying)
    numbers = {
        State.SUCCESS: run.succeeded,
        State.FAILURE: run.failed,
        State.STARTED: in_hand,
        State.RETRY: retrying,
        State.PENDING: run.open_items - in_hand - retrying,
        State.REVOKED: run.revoked - run.conflicts,
    }
    told = [(str(state), state_label(state), number) for state, number in numbers.items()]
    return [*told, (ALONE, _("left alone"), run.conflicts)] if run.is_undo else told


def moving(run: Any) -> list[tuple[str, str, int]]:
    """Those of `counts` that are no end, and not 0."""
    open_ones = (State.STARTED, State.RETRY, State.PENDING)
    return [(state, word, number) for state, word, number in counts(run) if number and state in open_ones]


def moment(run: Any) -> tuple[Any, ...]:
    """Two readings of a run that agree in this are of one moment: its items have not changed between them."""
    return counts(run), run.state, run.cancelled_at, run.started_at, run.finished_at


def percent(run: Run) -> int:
    """Whole percent of what is done; 100 only when all is: what was cancelled is not."""
    done = run.done - run.revoked + run.conflicts
    return 100 if not run.total else done * 100 // run.total


def how_far(run: Run) -> str:
    done = run.succeeded + run.failed + run.conflicts
    text = ngettext("%(done)s of %(total)s record done", "%(done)s of %(total)s records done", run.total)
    return text % {"done": f"{done:,}", "total": f"{run.total:,}"}


def in_words(run: Run) -> str:
    text = how_far(run)
    if run.failed:
        text = with_since(run, text + _(", %(n)s failed") % {"n": f"{run.failed:,}"})
    if run.conflicts:
        text += _(", %(n)s left alone") % {"n": f"{run.conflicts:,}"}
    if cancelled := run.revoked - run.conflicts:
        text += _(", %(n)s cancelled") % {"n": f"{cancelled:,}"}
    return text


def with_since(run: Any, text: str) -> str:
    """And what became of its failures, where that was asked of many runs at once."""
    since = standing.in_words(run) if run.failed and hasattr(run, "settled") else ""
    return f"{text} ({since})" if since else text


def cancelled_in_words(undone: int, in_hand: int) -> str:
    if not undone:
        return cancelled_late(in_hand)
    text = (
        ngettext("Cancelled: %s record is not worked on.", "Cancelled: %s records are not worked on.", undone)
        % f"{undone:,}"
    )
    if in_hand:
        text += (
            " "
            + ngettext(
                "%s more is in progress: it is finished or given back within seconds.",
                "%s more are in progress: they are finished or given back within seconds.",
                in_hand,
            )
            % f"{in_hand:,}"
        )
    return text + " " + _("What is done stays done.")


def cancelled_late(in_hand: int) -> str:
    """Of what is in hand some may be given back yet."""
    if not in_hand:
        return _("Too late to cancel: all were done.")
    text = ngettext(
        "Nothing was left to begin. %s record is in progress: it is finished or given back within seconds.",
        "Nothing was left to begin. %s records are in progress: they are finished or given back within seconds.",
        in_hand,
    )
    return text % f"{in_hand:,}"


def came_to(run: Any) -> str:
    """How far it is, with what its records came to: "84 of 84 records done: 62 valid, 22 review"."""
    text = how_far(run)
    told = bar.in_words(bar.parts(run, run.tallied))
    return with_since(run, f"{text}: {told}" if told else text)


def as_json(run: Any) -> dict[str, Any]:
    """Of a run with its tallies, as `tallied`."""
    return {
        "state": str(run.state),
        "label": state_label(run.state),
        "total": run.total,
        "done": run.done,
        "percent": percent(run),
        "text": came_to(run),
        "mark": MARKS.get(run.state, ""),
        "waits": waiting.why(run),
        "finished": run.is_finished,
        "cancelled": run.cancelled_at is not None,
        "counts": {str(state): number for state, _word, number in counts(run)},
    }
