"""Firings written and not sent: the broker was away, the one before is at work, beat was killed in between."""

from datetime import datetime, timedelta

from celery import current_app
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_results.models import TaskResult

from . import allowed, fire, publish
from .models import Firing, Overlap

LOST_AFTER = timedelta(seconds=60)  # a sent start of a run that nobody picked up is sent again; starting is safe twice
BATCH = 50


def send_waiting(leading_since: datetime | None) -> bool:
    """Send what can be sent; False as soon as the broker does not take one."""
    waiting = Firing.objects.waiting().select_related("schedule", "schedule__state").order_by("pk")
    return all(settle(firing, leading_since) for firing in waiting[:BATCH])


def settle(firing: Firing, leading_since: datetime | None) -> bool:
    row = firing.schedule
    if row is None:
        return not_run(firing, _("The schedule was deleted before it could be sent."))
    if publish.outlived(row, firing):
        return not_run(firing, firing.reason or _("It waited longer than its messages live."))
    if is_held(firing):
        return True
    if may_be_out(firing, leading_since):
        mine = Firing.objects.waiting().filter(pk=firing.pk)
        try:
            is_out = was_sent(firing)
        except publish.AWAY:  # sending would only wait for the same broker once more
            return False
        if is_out:
            mine.update(state=Firing.State.SENT, sent_at=firing.fired_at, reason="")
        if not mine.exists():  # or a worker took it while we looked, and wrote so
            return True
    return publish.send(row, firing)


def may_be_out(firing: Firing, leading_since: datetime | None) -> bool:
    """Whether its message may have arrived though nobody wrote so: beat was killed in between, or the broker's answer
    was lost. A run starts once however often it is asked to, so that its start is rather sent twice than not at all."""
    if firing.attempts:
        return firing.schedule is not None and firing.schedule.task != allowed.START_RUN
    return leading_since is not None and firing.fired_at < leading_since


def not_run(firing: Firing, reason: str) -> bool:
    Firing.objects.waiting().filter(pk=firing.pk).update(state=Firing.State.SKIPPED, reason=reason)
    return True


def is_held(firing: Firing) -> bool:
    """Whether it waits for the previous firing of its schedule, as the schedule's option says."""
    row = firing.schedule
    state = getattr(row, "state", None)
    if row is None or firing.by or state is None or state.overlap == Overlap.ALLOW:
        return False
    return bool(fire.busy(row, before=firing))


def repeat_lost() -> None:
    """A start of a run whose message no worker picked up: Redis or a worker lost it. Each time waits twice as long."""
    now = timezone.now()
    sent = Firing.objects.filter(state=Firing.State.SENT, run=None, note="", schedule__task=allowed.START_RUN)
    for firing in sent.filter(sent_at__lt=now - LOST_AFTER, fired_at__gt=now - timedelta(days=1)):
        if firing.sent_at and now - firing.sent_at > LOST_AFTER * 2 ** min(firing.attempts - 1, 10):
            Firing.objects.filter(pk=firing.pk, state=Firing.State.SENT).update(state=Firing.State.WAITING)


def was_sent(firing: Firing) -> bool:
    """Whether anybody knows the message: it waits in a queue, a worker holds it, or its task has an outcome.

    One that a worker has taken without leaving an outcome is not looked for here: `pickup` wrote that it was sent.
    Between the queue and the list of what workers hold it is nowhere, for as long as Redis needs to answer twice.
    Raises publish.AWAY.
    """
    if TaskResult.objects.filter(task_id=firing.task_id).exists():
        return True
    try:
        with current_app.connection_for_read() as connection:
            channel = connection.default_channel
            lists = [channel._q_for_pri(queue, p) for queue in current_app.amqp.queues for p in channel.priority_steps]
            messages = [m for name in lists for m in channel.client.lrange(name, 0, -1)]
            held = channel.client.hvals(channel.unacked_key)
            return any(firing.task_id.encode() in m for m in [*messages, *held])
    except AttributeError:  # another transport: sending decides
        return False
