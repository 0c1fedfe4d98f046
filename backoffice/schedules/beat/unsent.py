"""Firings written and not sent: the broker was away, the one before is at work, beat was killed in between."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from celery import current_app
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from backoffice.runs.engine.broker import UNREACHABLE

from ..models import Firing, Overlap
from ..rules import permitted
from . import overlap, publish

LOST_AFTER = timedelta(seconds=60)  # a sent start of a run that nobody picked up is sent again; starting is safe twice
BATCH = 50
BUDGET = 1.0  # seconds of one round: due times go on being decided


class Backlog:
    """What waits to be sent, a batch after the other, round after round: those in front may be held for days."""

    def __init__(self) -> None:
        self.after = 0

    def send(self, is_leader: Callable[[], bool]) -> bool:
        """Send what can be sent; False as soon as the broker does not take one."""
        deadline = time.monotonic() + BUDGET
        while time.monotonic() < deadline and is_leader() and (firings := self.following()):
            if not send(firings):
                return False
            if not self.after:
                break
        return True

    def following(self) -> list[Firing]:
        untaken = Firing.objects.untaken().filter(pk__gt=self.after).order_by("pk")
        found = list(untaken.select_related("schedule", "schedule__state")[:BATCH])
        self.after = found[-1].pk if len(found) == BATCH else 0
        return found


def send(firings: Sequence[Firing]) -> bool:
    """Firings that wait for each other one after the other."""
    while ready := ready_of(firings):
        if not send_together(ready):
            return False
        sent, gone = {firing.schedule_id for firing in ready}, {firing.pk for firing in ready}
        firings = [firing for firing in firings if firing.schedule_id in sent and firing.pk not in gone]
    return True


def send_together(ready: Sequence[Firing]) -> bool:
    try:
        known = known_messages([firing.task_id for firing in ready if may_be_out(firing)])
    except UNREACHABLE:  # sending would only wait for the same broker once more
        return False
    calls = []
    for firing in ready:
        if firing.task_id in known:
            mine = Firing.objects.waiting().filter(pk=firing.pk, attempts=firing.attempts)
            mine.update(state=Firing.State.SENT, sent_at=firing.fired_at, reason="")
        elif firing.schedule:
            calls.append((firing.schedule, firing))
    return publish.send(calls)


def ready_of(firings: Sequence[Firing]) -> list[Firing]:
    """Those that may be sent now. What cannot be sent any more is written so."""
    ready, waited_for = [], set()
    for firing in firings:
        if is_over(firing):
            continue
        if not is_patient(firing):
            ready.append(firing)
        elif firing.schedule_id not in waited_for:
            waited_for.add(firing.schedule_id)
            if not overlap.busy(firing.schedule, before=firing):
                ready.append(firing)
    return ready


def is_over(firing: Firing) -> bool:
    schedule = firing.schedule
    if schedule is None:
        not_run(firing, _("The schedule was deleted before it could be sent."))
    elif publish.outlived(schedule, firing):
        not_run(firing, firing.reason or _("It waited longer than its messages live."))
    else:
        return False
    return True


def is_patient(firing: Firing) -> bool:
    """Whether it waits for the previous firing of its schedule, as the schedule's option says."""
    state = getattr(firing.schedule, "state", None)
    return not firing.by and state is not None and state.overlap != Overlap.ALLOW


def may_be_out(firing: Firing) -> bool:
    """Whether its message may have arrived though nobody wrote so: beat was killed in between, or the broker's answer
    was lost. A run starts once however often it is asked to, so that its start is rather sent twice than not at all."""
    if firing.tried_at:
        return True
    return bool(firing.attempts and firing.schedule and firing.schedule.task != permitted.START_RUN)


def not_run(firing: Firing, reason: str) -> None:
    mine = Firing.objects.waiting().filter(pk=firing.pk, attempts=firing.attempts)
    mine.update(state=Firing.State.SKIPPED, reason=reason)


def repeat_lost() -> None:
    """A start of a run whose message no worker picked up: Redis or a worker lost it. Each time waits twice as long."""
    now = timezone.now()
    sent = Firing.objects.filter(state=Firing.State.SENT, run=None, note="", schedule__task=permitted.START_RUN)
    for firing in sent.filter(sent_at__lt=now - LOST_AFTER, fired_at__gt=now - timedelta(days=1)):
        if firing.sent_at and now - firing.sent_at > LOST_AFTER * 2 ** min(firing.attempts - 1, 10):
            lost = Firing.objects.filter(pk=firing.pk, state=Firing.State.SENT, attempts=firing.attempts)
            lost.filter(run=None, note="").update(state=Firing.State.WAITING, tried_at=None, taken=None)


def known_messages(task_ids: Sequence[str]) -> set[str]:
    """Whose message anybody knows: it waits in a queue, a worker holds it, or its task has an outcome.

    One that a worker has taken without leaving an outcome is not looked for here: `message` wrote that it was sent.
    Between the queue and the list of what workers hold it is nowhere, for as long as Redis needs to answer twice.
    Raises what `UNREACHABLE` names.
    """
    if not task_ids:
        return set()
    known = set(TaskResult.objects.filter(task_id__in=task_ids).values_list("task_id", flat=True))
    if len(known) == len(task_ids):
        return known
    try:
        with current_app.connection_for_read() as connection:
            channel = connection.default_channel
            lists = [channel._q_for_pri(queue, p) for queue in current_app.amqp.queues for p in channel.priority_steps]
            messages = [m for name in lists for m in channel.client.lrange(name, 0, -1)]
            messages += channel.client.hvals(channel.unacked_key)
    except AttributeError:  # another transport: sending decides
        return known
    return known | {task_id for task_id in task_ids if any(task_id.encode() in m for m in messages)}
