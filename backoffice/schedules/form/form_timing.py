"""The timing half of the schedule form: from what is filled in to beat's tables, checked before anything is saved."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from ..rules import permitted, verify
from .form_values import CRONTAB, EVERY, ONCE, SOLAR

SHORTEST = timedelta(seconds=10)  # what staff may choose; the machine's own sweep is faster
NOT_SAVED = -1  # the id of a timing that exists only to be checked
TIMING = ("when", "one_off", "every", "crontab_text", "zone", "at", "start_time", "expires")
FIELDS_OF = {EVERY: ("every", "period"), CRONTAB: ("crontab_text", "zone"), ONCE: ("at",)}
KINDS = ("interval", "crontab", "clocked", "solar")


class FillsTiming:
    """For the form: it has the fields of TIMING, `check`, and what Django's forms have."""

    add_error: Any
    has_error: Any
    check: Any
    touched: Any

    def fill_timing(self, schedule: PeriodicTask, data: dict[str, Any]) -> None:
        """Put the chosen timing on the row, unsaved, and let `verify` look at it. What nobody touched stays."""
        if "start_time" in self.touched:
            schedule.start_time = data.get("start_time")
        when, solar = data.get("when"), schedule.solar
        if when != ONCE and self.touched & {"when", "one_off"}:
            schedule.one_off = bool(data.get("one_off"))
        if not self.touched & {"when", *FIELDS_OF.get(when or "", ())}:
            return
        for kind in KINDS:
            setattr(schedule, kind, None)
        if when == EVERY:
            self.fill_interval(schedule, data)
        elif when == CRONTAB:
            self.fill_crontab(schedule, data)
        elif when == ONCE:
            schedule.one_off = True
            self.fill_clocked(schedule, data)
        elif when == SOLAR:
            schedule.solar = solar
            self.check("when", verify.verify_timing, schedule)

    def fill_interval(self, schedule: PeriodicTask, data: dict[str, Any]) -> None:
        every, period = data.get("every"), data.get("period") or "minutes"
        if not every:
            if not self.has_error("every"):
                self.add_error("every", _("Say how often: a whole number, 1 or more."))
            return
        schedule.interval = IntervalSchedule(pk=NOT_SAVED, every=every, period=period)
        if timedelta(**{period: every}) < SHORTEST and not permitted.is_system(schedule.task):
            self.add_error("every", _("The shortest interval is %(n)d seconds.") % {"n": SHORTEST.total_seconds()})
        self.check("every", verify.verify_timing, schedule)

    def fill_crontab(self, schedule: PeriodicTask, data: dict[str, Any]) -> None:
        parts = (data.get("crontab_text") or "").split()
        if self.has_error("crontab_text"):
            return None
        if len(parts) != 5:
            message = _("A crontab has five parts with spaces between them; this has %(n)d.") % {"n": len(parts)}
            return self.add_error("crontab_text", message)
        names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        schedule.crontab = CrontabSchedule(
            pk=NOT_SAVED, timezone=data.get("zone") or "UTC", **dict(zip(names, parts, strict=True))
        )
        too_long = [
            n for n in names if len(getattr(schedule.crontab, n)) > CrontabSchedule._meta.get_field(n).max_length
        ]
        if too_long:
            return self.add_error("crontab_text", _("One of the parts is too long."))
        schedule.crontab.clean_fields(exclude=["id", *names])
        self.check("crontab_text", verify.verify_timing, schedule)
        return None

    def fill_clocked(self, schedule: PeriodicTask, data: dict[str, Any]) -> None:
        at = data.get("at")
        if at is None:
            if not self.has_error("at"):
                self.add_error("at", _("Choose a date and a time."))
            return
        schedule.clocked = ClockedSchedule(pk=NOT_SAVED, clocked_time=at)


def share_timing(schedule: PeriodicTask) -> None:
    """Beat keeps timings in tables of their own: take the one that says the same, or make one."""
    for kind in KINDS:
        timing = getattr(schedule, kind)
        if timing is not None and timing.pk == NOT_SAVED:
            values = {f.name: getattr(timing, f.name) for f in timing._meta.concrete_fields if not f.primary_key}
            found = type(timing).objects.filter(**values).first()
            setattr(schedule, kind, found or type(timing).objects.create(**values))
