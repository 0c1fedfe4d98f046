"""When the sweep last ran: frozen, it rescues nothing, and workers and beat report as if all were well."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import DurationField, ExpressionWrapper, F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.runs.database import clock
from backoffice.runs.engine import heartbeats
from backoffice.runs.models import Worker

LATE = timedelta(minutes=1)  # twelve of its intervals


def age() -> timedelta | None:
    """By the database's clock; None while it has never run."""
    ago = ExpressionWrapper(clock.now() - F("seen_at"), output_field=DurationField())
    found: timedelta | None = (
        Worker.objects.filter(name=heartbeats.SWEEP).annotate(ago=ago).values_list("ago", flat=True).first()
    )
    return found


def told(processes: Iterable[Worker], now: datetime) -> tuple[bool, str, str]:
    """Whether it runs, in words, and what to do."""
    seconds = age()
    if seconds is None:
        new = all(process.started_at > now - LATE for process in processes)
        return new, _("It has not run yet."), advice()
    whole = max(0, int(seconds.total_seconds()))
    if whole < 120:
        words = ngettext("Ran %d second ago.", "Ran %d seconds ago.", whole) % whole
    else:
        words = ngettext("Last ran %d minute ago.", "Last ran %d minutes ago.", whole // 60) % (whole // 60)
    return seconds <= LATE, words, advice()


def advice() -> str:
    return _("See beat, the queue “control” and its worker: if that one is busy or frozen, restart it.")
