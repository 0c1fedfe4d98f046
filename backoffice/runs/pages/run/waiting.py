"""Why nothing of a run is in hand yet, and what to do."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.queues import CONTROL, start_for

from ...engine import broker, heartbeats
from ...registry import find

SOON = timedelta(seconds=2)  # a worker that is there takes its work within that
SWEPT = timedelta(minutes=1)  # and the sweep starts what is due


def why(run: Any) -> str:
    """ "" for a run of which something is in hand, or soon will be. Asked only once it has waited."""
    if run.is_finished or run.cancelled_at or run.in_hand:
        return ""
    if not run.activated_at:
        is_late = run.due_at and timezone.now() - run.due_at > SWEPT
        return _not_started() if is_late else ""
    if timezone.now() - run.activated_at < SOON:
        return ""
    if run.chunks.unclaimed().filter(published_at=None).exists():
        return _("Redis does not take its messages: they are sent as soon as it answers again. Nothing is lost.")
    try:
        return broker.unread(find(run.task.name))
    except LookupError:
        told = _("No code here knows the task %(task)s: the run goes on once it is installed again. Or cancel it.")
        return told % {"task": run.task.name}


def _not_started() -> str:
    if heartbeats.serving(CONTROL):
        return _("Its time has come, and it begins with the next sweep. Is beat running? The desk's health says so.")
    told = {"queue": CONTROL, "command": start_for([CONTROL])}
    return _("Its time has come, and no worker reads the queue “%(queue)s”. Start one: %(command)s") % told
