"""When the broker last took no message: the answer to "why did it not run?" that beat cannot read anywhere else."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _


class Outage:
    def __init__(self) -> None:
        self.start: datetime | None = None
        self.end: datetime | None = None

    def note(self, began: datetime, *, sent: bool) -> None:
        """`began`: when sending was tried, for a frozen broker fails seconds later."""
        if sent:
            self.end = self.end or timezone.now()
        elif self.start is None or self.end:
            self.start, self.end = began, None

    def covers(self, due: datetime) -> bool:
        return bool(self.start and self.start <= due and (self.end is None or due <= self.end))

    @property
    def reason(self) -> str:
        if self.start is None:
            return ""
        times = {"start": f"{self.start:%Y-%m-%d %H:%M:%S}", "end": f"{self.end or timezone.now():%Y-%m-%d %H:%M:%S}"}
        return _("The message broker could not be reached from %(start)s to %(end)s UTC.") % times
