"""Sending firings' messages. The only place in this wing that publishes.

Where a beat may be killed, or stand still for any time, and what then becomes of its firing:

| after                   | it is             | and then                                                               |
|-------------------------|-------------------|------------------------------------------------------------------------|
| nothing                 | not there         | the next leader decides about the due time                             |
| the decision            | waiting           | the next leader takes it at once; the one that stood still cannot      |
| it was taken            | waiting, marked   | left alone until the mark is stale; then looked for, and sent          |
| Redis had the message   | waiting, marked   | a worker writes that it was sent, or it is found where messages are    |
| it was written as sent  | sent              | nothing                                                                |

One that stood still after it was taken for longer than a mark lasts sends a second message when it wakes up: each try
has its number, and of two messages of one firing the workers run the one they take first (`message`).
"""

import json
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.message import headers
from backoffice.runs.engine.broker import UNREACHABLE
from backoffice.runs.registry import registered

from .. import enabling, owner
from ..models import STALE, Firing

logger = logging.getLogger(__name__)
Call = tuple[PeriodicTask, Firing]
SURELY_OURS = STALE.total_seconds() / 3  # after that a mark is renewed: others may take it for that of the dead


def send(calls: Sequence[Call]) -> bool:
    """Publish each once; False when the broker did not take one. It and those after it wait, and beat tries again.

    Bounded by the settings: 0.1 s where Redis refuses connections, 3 s where it does not answer. Beat then sends
    nothing for 2 s, so that the due times of all the others are written down in time, whatever their number.
    """
    ours = take(owner.sendable(calls))
    batch = Batch(time.monotonic() + SURELY_OURS)
    try:
        batch.publish(ours)
    finally:
        batch.write()
    if batch.stale:  # we stood still: another beat may have taken them meanwhile
        return send(batch.stale)
    return not batch.refused


def take(calls: Sequence[Call]) -> list[Call]:
    """What is ours to send. Firings that leave no history are ours by their decision."""
    kept = [firing for _schedule, firing in calls if firing.pk]
    mine = {firing.pk for firing in Firing.objects.take(kept)} if kept else set()
    return [(schedule, firing) for schedule, firing in calls if not firing.pk or firing.pk in mine]


class Batch:
    """What becomes of firings that we send. Between taking them and writing so, nothing asks the database."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.sent: list[Firing] = []
        self.broken: list[tuple[PeriodicTask, Firing, Exception]] = []
        self.refused: list[Firing] = []  # by the broker
        self.untried: list[Firing] = []  # not even tried
        self.stale: list[Call] = []
        self.reason = ""

    def publish(self, calls: Sequence[Call]) -> None:
        for at, (schedule, firing) in enumerate(calls):
            if time.monotonic() > self.until:
                self.stale = list(calls[at:])
                return
            try:
                hand_over(schedule, firing)
            except UNREACHABLE as error:
                logger.warning("Schedule %r: not sent, tried again soon: %s", schedule.name, error)
                self.reason = _("The message broker could not be reached (%(error)s).") % {
                    "error": type(error).__name__
                }
                self.refused, self.untried = [firing], [later for _schedule, later in calls[at + 1 :]]
                return
            except Exception as error:  # the row's own, though it was verified: it is no outage for the others
                logger.exception("Schedule %r: could not be sent", schedule.name)
                self.broken.append((schedule, firing, error))
            else:
                self.sent.append(firing)

    def write(self) -> None:
        if sent := [firing.pk for firing in self.sent if firing.pk]:
            # Unless a worker was so quick that it wrote this already.
            mine = Firing.objects.waiting().filter(pk__in=sent)
            mine.update(state=Firing.State.SENT, sent_at=timezone.now(), reason="")
        for schedule, firing, error in self.broken:
            give_up(schedule, firing, error)
        Firing.objects.put_back((firing for firing in self.refused if firing.pk), self.reason, tried=True)
        Firing.objects.put_back((firing for firing in self.untried if firing.pk), away(), tried=False)


def hand_over(schedule: PeriodicTask, firing: Firing) -> None:
    """To the broker. Raises what it raises."""
    task = registered()[schedule.task]
    task.apply_async(
        json.loads(schedule.args or "[]"), json.loads(schedule.kwargs or "{}"), **message_options(schedule, firing)
    )
    # The sweep's every few seconds would drown the others'.
    level = logging.INFO if firing.pk else logging.DEBUG
    logger.log(
        level, "Schedule %r: sent %s for %s", schedule.name, schedule.task, f"{firing.due_at:%Y-%m-%d %H:%M:%S} UTC"
    )


def give_up(schedule: PeriodicTask, firing: Firing, error: Exception) -> None:
    reason = _("It could not be sent: %(error)s") % {"error": f"{type(error).__name__}: {error}"}
    Firing.objects.waiting().filter(pk=firing.pk).update(state=Firing.State.SKIPPED, reason=reason)
    enabling.disable(schedule.pk, enabling.BEAT, reason)


def is_new(firing: Firing) -> bool:
    """Whether it is sent at once: it has not been skipped, and waits for no other."""
    return firing.state == Firing.State.WAITING and not firing.reason


def note_untried(firings: Sequence[Firing]) -> None:
    """Not even tried: the broker took nothing a moment ago, and each try may take seconds."""
    kept = [firing.pk for firing in firings if firing.pk]
    Firing.objects.untaken().filter(pk__in=kept).update(reason=away())


def away() -> str:
    return _("The message broker could not be reached.")


def message_options(schedule: PeriodicTask, firing: Firing) -> dict[str, Any]:
    """Celery's options: all of the row's, and headers that say which schedule and firing a message is from."""
    told = {**json.loads(schedule.headers or "{}"), "periodic_task_name": schedule.name, "celery_beat_task": True}
    told[headers.SCHEDULE] = schedule.name  # beside Celery's own, which anybody's beat sets
    if firing.pk:
        told = headers.of_firing(firing.pk, firing.attempts) | told  # a header of the row's own keeps its value
    # retry: beat's own tries are written down, and kombu's would hold all schedules up for 9 s in a frozen broker.
    options: dict[str, Any] = {"headers": told, "task_id": firing.task_id, "retry": False}
    if schedule.queue:
        options["queue"] = schedule.queue
    if schedule.priority is not None:
        options["priority"] = schedule.priority
    if schedule.expires_:
        options["expires"] = schedule.expires_
    return options


def outlived(schedule: PeriodicTask, firing: Firing) -> bool:
    """Whether its message, had it been sent when due, would have expired by now."""
    if schedule.expire_seconds is None or firing.by:
        return False
    return bool(timezone.now() > firing.due_at + timedelta(seconds=schedule.expire_seconds))
