"""One leader among any number of beats, by a lease in the database, and a heartbeat of each."""

import os
import socket
import time
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from celery import schedules
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.results.values.text import storable
from backoffice.runs.database import clock
from backoffice.runs.engine import heartbeats
from backoffice.runs.models import Worker

from ..models import Lease

HEARTBEAT = 5.0  # seconds
LEASE = 6.0  # seconds without renewal until another beat takes over; a frozen broker holds a round up for three
RENEW = 1.0
FORGET = timedelta(hours=1)  # the row of a beat that was killed

# Celery's own default, for result backends that do not expire their rows by themselves.
CLEANUP: dict[str, Any] = {
    "task": "celery.backend_cleanup",
    "schedule": schedules.crontab("0", "4", "*"),
    "options": {"expire_seconds": 12 * 3600},
}


class Leader:
    """This process among the beats."""

    def __init__(self) -> None:
        # Of two containers that share the machine's name each is process 1.
        self.name = f"beat@{storable(socket.gethostname())}/{os.getpid()}/{token_hex(4)}"
        self.since: datetime | None = None  # leading since
        self.nobody_from: datetime | None = None  # before that, nobody led from here on
        self.reported_at = self.renewed_at = float("-inf")

    def report(self) -> None:
        if time.monotonic() - self.reported_at < HEARTBEAT:
            return
        heartbeats.report(self.name, kind=Worker.Kind.BEAT)
        Worker.objects.filter(kind=Worker.Kind.BEAT, seen_at__lt=clock.now(-FORGET)).delete()
        self.reported_at = time.monotonic()

    def lead(self) -> bool:
        """Take the lease when it is free, renew it when it is ours; False while another beat leads."""
        if self.since and time.monotonic() - self.renewed_at < RENEW:
            return True
        before = Lease.current()
        asked_at = time.monotonic()
        if not Lease.objects.take(self.name, LEASE):
            self.since = None
            return False
        if self.since is None or before.holder != self.name:
            self.since, self.nobody_from = timezone.now(), before.until
        self.renewed_at = asked_at
        return True

    def was_away(self, due: datetime) -> bool:
        return bool(self.since and self.nobody_from and due <= self.since)

    def why_missed(self, due: datetime) -> str:
        if self.since and self.nobody_from and self.was_away(due):
            times = {"start": f"{self.nobody_from:%Y-%m-%d %H:%M:%S}", "end": f"{self.since:%Y-%m-%d %H:%M:%S}"}
            return _("Beat was not running from %(start)s to %(end)s UTC.") % times
        return _("Beat was running but late: the machine was asleep or busy.")

    def leave(self) -> None:
        """On the way out: another beat need not wait for the lease to run out."""
        for _attempt in range(2):
            try:
                if self.since:
                    Lease.objects.release(self.name)
                Worker.objects.filter(name=self.name).delete()
                return
            except (DatabaseError, InterfaceError):
                connection.close()  # it may have been interrupted in a query; if not, the lease runs out by itself
