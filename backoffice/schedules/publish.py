"""Sending a firing's message. The only place in this wing that publishes."""

import json
import logging
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from . import allowed, owner, switch
from .models import Firing

logger = logging.getLogger(__name__)
# What the broker and the way to it raise; a Redis that is full is one of them.
AWAY = (OperationalError, OSError, RedisError)


def send(row: PeriodicTask, firing: Firing) -> bool:
    """Publish once; False when the broker did not take it. The firing then waits and beat tries again.

    Bounded by the settings: 0.1 s where Redis refuses connections, 3 s where it does not answer. Beat then sends
    nothing for 2 s, so that the due times of all the others are written down in time, whatever their number.
    """
    if owner.stops(row, firing):
        return True
    try:
        options = message_options(row, firing)
        allowed.registered()[row.task].apply_async(
            json.loads(row.args or "[]"), json.loads(row.kwargs or "{}"), **options
        )
    except AWAY as error:
        logger.warning("Schedule %r: not sent, tried again soon: %s", row.name, error)
        note_failure(firing, error)
        return False
    except Exception as error:  # the row's own, though it was verified: it must not count as an outage for the others
        logger.exception("Schedule %r: could not be sent", row.name)
        give_up(row, firing, error)
        return True
    if firing.pk:
        # Unless a worker was so quick that it wrote this already.
        Firing.objects.waiting().filter(pk=firing.pk).update(
            state=Firing.State.SENT, sent_at=timezone.now(), attempts=F("attempts") + 1, reason=""
        )
    # The sweep's every few seconds would drown the others'.
    level = logging.INFO if firing.pk else logging.DEBUG
    logger.log(level, "Schedule %r: sent %s for %s", row.name, row.task, f"{firing.due_at:%Y-%m-%d %H:%M:%S} UTC")
    return True


def give_up(row: PeriodicTask, firing: Firing, error: Exception) -> None:
    reason = _("It could not be sent: %(error)s") % {"error": f"{type(error).__name__}: {error}"}
    Firing.objects.waiting().filter(pk=firing.pk).update(state=Firing.State.SKIPPED, reason=reason)
    switch.disable(row.pk, switch.BEAT, reason)


def note_failure(firing: Firing, error: Exception) -> None:
    if firing.pk:
        reason = _("The message broker could not be reached (%(error)s).") % {"error": type(error).__name__}
        Firing.objects.waiting().filter(pk=firing.pk).update(reason=reason, attempts=F("attempts") + 1)


def note_held(firing: Firing) -> None:
    """Not even tried: the broker took nothing a moment ago, and each try may take seconds."""
    if firing.pk:
        Firing.objects.waiting().filter(pk=firing.pk).update(reason=_("The message broker could not be reached."))


def message_options(row: PeriodicTask, firing: Firing) -> dict[str, Any]:
    """Celery's options: all of the row's, and headers that say which schedule and firing a message is from."""
    headers = {**json.loads(row.headers or "{}"), "periodic_task_name": row.name, "celery_beat_task": True}
    if firing.pk:
        headers["firing"] = firing.pk
    # retry: beat's own tries are written down, and kombu's would hold all schedules up for 9 s in a frozen broker.
    options: dict[str, Any] = {"headers": headers, "task_id": firing.task_id, "retry": False}
    if row.queue:
        options["queue"] = row.queue
    if row.priority is not None:
        options["priority"] = row.priority
    if row.expires_:
        options["expires"] = row.expires_
    return options


def outlived(row: PeriodicTask, firing: Firing) -> bool:
    """Whether its message, had it been sent when due, would have expired by now."""
    if row.expire_seconds is None or firing.by:
        return False
    return bool(timezone.now() > firing.due_at + timedelta(seconds=row.expire_seconds))
