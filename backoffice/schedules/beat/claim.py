"""Writing decisions: of any number of beats that decide about the same due times, one writes them, a batch at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results import bulk
from backoffice.runs.database.again import again

from .. import enabling
from ..models import Firing, Overlap, ScheduleState
from .fire import Decision, is_quiet


@dataclass(frozen=True)
class Due:
    """A schedule and what was decided about its due times."""

    schedule: PeriodicTask
    state: ScheduleState
    decision: Decision
    why_missed: str = ""
    busy: str = ""


@again()
def claim(dues: Sequence[Due]) -> dict[int, list[Firing]]:
    """Write decisions, firings and last_run_at in one transaction. Returns the firings by schedule; one that is not
    among them was another beat's, or has been turned off."""
    with transaction.atomic():
        won = still_ours(dues)
        decided = [(due.decision.newest, due.schedule.pk) for due in won]
        bulk.update(ScheduleState, ("decided_until",), ("schedule",), decided)
        firings = {due.schedule.pk: firings_of(due) for due in won}
        write([due for due in won if not is_quiet(due.schedule)], firings)
        touch(won, firings)
    for due in won:
        due.state.decided_until = due.decision.newest
    return firings


def still_ours(dues: Sequence[Due]) -> list[Due]:
    """Compare under locks, then swap. A condition on the row in the UPDATE itself would be a join, and that PostgreSQL
    does not ask again once it has waited for the other beat. Rows before states, as where schedules are turned off."""
    ids = [due.schedule.pk for due in dues]
    rows = PeriodicTask.objects.filter(pk__in=ids, enabled=True).order_by("pk").select_for_update(no_key=True)
    on = set(rows.values_list("pk", flat=True))
    states = ScheduleState.objects.filter(pk__in=on).order_by("pk").select_for_update(no_key=True)
    known = {pk: values for pk, *values in states.values_list("pk", "decided_until", "timing")}
    return [due for due in dues if known.get(due.schedule.pk) == [due.state.decided_until, due.state.timing]]


def firings_of(due: Due) -> list[Firing]:
    """One for each due time that fires. "Run each": one after the other."""
    found, busy, overlap = [], due.busy, due.state.overlap
    for at in due.decision.fire:
        firing = Firing(schedule=due.schedule, schedule_name=due.schedule.name, due_at=at)
        if busy and overlap != Overlap.ALLOW:
            firing.state = Firing.State.SKIPPED if overlap == Overlap.SKIP else Firing.State.WAITING
            firing.reason = busy
        found.append(firing)
        busy = busy or _("It waits for the firing before it.")
        overlap = overlap if overlap == Overlap.ALLOW else Overlap.QUEUE
    return found


def missed_of(due: Due) -> list[Firing]:
    """One row for all that were missed."""
    if due.decision.missed_from is None:
        return []
    values = {"state": Firing.State.SKIPPED, "times": due.decision.missed, "reason": due.why_missed}
    return [Firing(schedule=due.schedule, schedule_name=due.schedule.name, due_at=due.decision.missed_from, **values)]


def write(dues: Sequence[Due], firings: dict[int, list[Firing]]) -> None:
    """Insert what is not there yet: a clock that was set back comes to the same due times again."""
    made = [firing for due in dues for firing in (*missed_of(due), *firings[due.schedule.pk])]
    times = {firing.due_at for firing in made}
    there = Firing.objects.filter(schedule__in=[due.schedule.pk for due in dues], due_at__in=times)
    known = set(there.values_list("schedule_id", "due_at"))
    Firing.objects.bulk_create([firing for firing in made if (firing.schedule_id, firing.due_at) not in known])
    for due in dues:
        firings[due.schedule.pk] = [firing for firing in firings[due.schedule.pk] if firing.pk]


def touch(dues: Sequence[Due], firings: dict[int, list[Firing]]) -> None:
    """Only the columns that are beat's: a full save would overwrite what somebody is editing."""
    alike: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for due in dues:
        is_last = bool(due.schedule.one_off or due.schedule.clocked_id)
        alike[len(firings[due.schedule.pk]), is_last].append(due.schedule.pk)
        if is_last:
            enabling.log(enabling.BEAT, "schedule.done", due.schedule.pk, due.schedule.name)
    for (number, is_last), ids in alike.items():
        ended = {"enabled": False} if is_last else {}
        rows = PeriodicTask.objects.filter(pk__in=ids)
        rows.update(last_run_at=timezone.now(), total_run_count=F("total_run_count") + number, **ended)
