"""From due times to firings: what is due, what was missed, what overlaps, and who may fire it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult

from backoffice.runs.models import Run

from . import allowed, publish, switch, timing
from .models import Firing, Missed, Overlap, ScheduleState
from .verify import verify

# Later than this a due time counts as missed: longer than another beat needs to take over.
GRACE = timedelta(seconds=30)
EACH_LIMIT = 100  # "run each": no more than this many of the newest, so that a week's downtime is no flood
JUST_NOW = timedelta(seconds=5)
SKEW = timedelta(minutes=5)  # between the clocks of two machines that run beat
KEEP = 1_000  # firings kept per schedule


@dataclass
class Decision:
    """What becomes of the due times since the last decision."""

    newest: datetime
    fire: list[datetime]
    missed_from: datetime | None = None
    missed: int = 0


def is_settled(row: PeriodicTask, state: ScheduleState) -> bool:
    """Whether what was decided still holds: same timing, and not turned off and on in between (last_run_at empty)."""
    if state.decided_until is None or state.timing != timing.fingerprint(row):
        return False
    if row.clocked_id:
        return True
    horizon = timezone.now() + SKEW
    if state.decided_until > horizon:
        return False  # the clock has been set back: what is due by the new one is not decided
    return bool(row.last_run_at or state.decided_until >= row.date_changed or row.date_changed > horizon)


def settle(row: PeriodicTask, state: ScheduleState, *, live: bool) -> None:
    """Write from when on the due times of a new or changed timing count."""
    before = (state.decided_until, state.timing)
    state.decided_until, state.timing = beginning(row, state, live=live), timing.fingerprint(row)
    mine = ScheduleState.objects.filter(pk=row.pk, decided_until=before[0], timing=before[1])
    if not mine.update(decided_until=state.decided_until, timing=state.timing):
        state.refresh_from_db()


def beginning(row: PeriodicTask, state: ScheduleState, *, live: bool) -> datetime:
    """`live`: this beat has been reading the table all along, so what is new to it changed within the last seconds."""
    if row.clocked_id:
        return row.clocked.clocked_time - timing.MICROSECOND
    if state.decided_until is None and row.last_run_at:
        return row.last_run_at  # a table that another scheduler has worked with
    known = [row.date_changed, timezone.now() - JUST_NOW if live else state.decided_until]
    return min(max(moment for moment in known if moment), timezone.now())


def decide(row: PeriodicTask, state: ScheduleState, now: datetime) -> Decision | None:
    """What to fire now; None when nothing is due."""
    keep = EACH_LIMIT if state.missed == Missed.EACH else 1
    count, first, last = timing.passed(row, state.decided_until or now, now, keep)
    if not last:
        return None
    fire = [due for due in last if state.missed != Missed.SKIP or now - due <= GRACE]
    missed = count - len(fire)
    return Decision(last[-1], fire, first if missed else None, missed)


def claim(
    row: PeriodicTask, state: ScheduleState, decision: Decision, *, why_missed: str, busy: str = ""
) -> list[Firing] | None:
    """Write the decision, its firings and last_run_at in one transaction; None when another beat was first."""
    with transaction.atomic():
        mine = ScheduleState.objects.filter(pk=row.pk, decided_until=state.decided_until, timing=state.timing)
        # Still on: a schedule turned off this second does not fire because beat read it a second ago. Not by a join:
        # PostgreSQL would not compare decided_until again after waiting for the other beat.
        is_on = Exists(PeriodicTask.objects.filter(pk=row.pk, enabled=True))
        if not mine.filter(is_on).update(decided_until=decision.newest):
            return None
        state.decided_until = decision.newest
        if is_quiet(row):
            firings = [Firing(schedule=row, schedule_name=row.name, due_at=due) for due in decision.fire]
        else:
            _write_missed(row, decision, why_missed)
            firings = _write_fired(row, state, decision.fire, busy)
        _touch(row, len(firings))
    return firings


def is_quiet(row: PeriodicTask) -> bool:
    """A system schedule every few seconds whose messages expire before the next: no history, nothing to repeat."""
    return bool(row.interval_id and row.expire_seconds and allowed.is_system(row.task))


def _write_fired(row: PeriodicTask, state: ScheduleState, dues: list[datetime], busy: str) -> list[Firing]:
    firings = []
    for due in dues:
        values = {"schedule_name": row.name, **_overlapping(state, busy)}
        firing, created = Firing.objects.get_or_create(schedule=row, due_at=due, defaults=values)
        if created:
            firings.append(firing)
        # "Run each": one after the other.
        busy = busy or _("It waits for the firing before it.")
        state = ScheduleState(overlap=Overlap.ALLOW if state.overlap == Overlap.ALLOW else Overlap.QUEUE)
    return firings


def _overlapping(state: ScheduleState, busy: str) -> dict[str, str]:
    if not busy or state.overlap == Overlap.ALLOW:
        return {}
    skipped = Firing.State.SKIPPED if state.overlap == Overlap.SKIP else Firing.State.WAITING
    return {"state": skipped, "reason": busy}


def _write_missed(row: PeriodicTask, decision: Decision, why: str) -> None:
    if decision.missed_from is None:
        return
    values = {"schedule_name": row.name, "state": Firing.State.SKIPPED, "times": decision.missed, "reason": why}
    Firing.objects.get_or_create(schedule=row, due_at=decision.missed_from, defaults=values)


def _touch(row: PeriodicTask, fired: int) -> None:
    """Only the columns that are beat's: a full save would overwrite what somebody is editing."""
    values: dict[str, object] = {"last_run_at": timezone.now(), "total_run_count": F("total_run_count") + fired}
    if row.one_off or row.clocked_id:
        values["enabled"] = False
        switch.log(switch.BEAT, "schedule.done", row.pk, row.name)
    PeriodicTask.objects.filter(pk=row.pk).update(**values)


def busy(row: PeriodicTask, before: Firing | None = None) -> str:
    """Why the previous firing, or the one before that firing, counts as still at work; "" when it does not."""
    run = Run.objects.open().filter(schedule_id=row.pk).exclude(activated_at=None).order_by("pk").first()
    if run:
        return _("The previous firing was still at work: run %(run)s.") % {"run": run.pk}
    earlier = Firing.objects.filter(schedule_id=row.pk).exclude(state=Firing.State.SKIPPED).order_by("-pk")
    last = (earlier.filter(pk__lt=before.pk) if before else earlier).first()
    if last is None:
        return ""
    if last.state == Firing.State.WAITING and last.reason:
        return _("The firing before had not been sent: %(why)s") % {"why": last.reason}
    if last.state == Firing.State.WAITING or (row.task == allowed.START_RUN and not last.note and not last.run_id):
        return _("The previous firing had not been picked up by a worker yet.")
    if TaskResult.objects.filter(task_id=last.task_id, status__in=("STARTED", "RETRY")).exists():
        return _("The task of the previous firing was still at work.")
    return ""


def run_now(row: PeriodicTask, by: Any) -> Firing:
    """A firing beside the timetable, for whoever pressed the button. Raises BadSchedule.

    Written first like any other: what the broker does not take now, beat sends later.
    """
    verify(row)
    with transaction.atomic():
        firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now(), by=str(by)[:150])
        switch.log(by, "schedule.run_now", row.pk, row.name)
        transaction.on_commit(lambda: publish.send(row, firing))
    return firing
