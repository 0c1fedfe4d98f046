"""What became of what a run did: its undos, what took these back in turn, and what stands by now."""

from collections.abc import Sequence

from django.utils.translation import ngettext

from ..models import Run
from .undoable import purpose

DEEP, WIDE = 10, 20  # undos of undos, and of one of these levels


def chain(run: Run) -> list[Run]:
    """Its undos, their undos, and so on; in order. A question for each level, one where there are none."""
    found: list[Run] = []
    level = list(run.undone_by.select_related("task").order_by("pk")[:WIDE])
    while level and len(found) < DEEP * WIDE:
        found += level
        level = list(Run.objects.filter(undoes__in=level).select_related("task").order_by("pk")[:WIDE])
    return sorted(found, key=lambda each: each.pk)


def what_stands(run: Run, after: Sequence[Run]) -> str:
    """In a sentence, where more than one run has moved it: the one that ended last says how it is."""
    ended = [(each.finished_at, each.pk, each) for each in after if each.finished_at]
    if len(ended) < 2:
        return ""
    last = max(ended)[2]
    undone = ngettext(
        "Undone in %(n)s record, by run %(run)d.", "Undone in %(n)s records, by run %(run)d.", last.succeeded
    )
    stands = ngettext(
        "Done again in %(n)s record, by run %(run)d: there it stands.",
        "Done again in %(n)s records, by run %(run)d: there it stands.",
        last.succeeded,
    )
    sentence = undone if last.purpose == purpose(run) else stands
    return sentence % {"n": f"{last.succeeded:,}", "run": last.pk}
