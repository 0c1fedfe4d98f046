"""How a schedule stands now, in one sentence: when it is due, or why it does not run."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from backoffice.runs.database import clock
from backoffice.runs.models import Worker

from ..beat import fire, leading
from ..models import Firing, ScheduleState
from ..rules import timing, words

# As old as a heartbeat may be until beat counts as gone.
SILENT = timedelta(seconds=4 * leading.HEARTBEAT)


def in_words(schedule: PeriodicTask) -> str:
    if not schedule.enabled:
        return off_in_words(schedule, words.clock, format_html)
    if is_beat_away():
        return _("It fires when beat runs again.")
    pending = Firing.objects.waiting().filter(schedule=schedule).order_by("pk").first()
    if pending:
        told = {"due": words.clock(pending.due_at), "why": pending.reason}
        return format_html(_("The firing due {due} waits to be sent. {why}"), **told)
    if fire.is_quiet(schedule):
        last = words.clock(schedule.last_run_at) if schedule.last_run_at else _("never")
        return format_html(_("It fires every few seconds: its firings are not listed. Last run: {last}."), last=last)
    due = timing.next_due_or_none(schedule, timezone.now())
    return format_html(_("Next due: {due}."), due=words.clock(due)) if due else _("It is not due again.")


def is_beat_away() -> bool:
    return not Worker.objects.filter(kind=Worker.Kind.BEAT, seen_at__gt=clock.now(-SILENT)).exists()


def off_in_words(
    schedule: PeriodicTask, moment: Callable[[Any], str] = words.moment, put: Callable[..., str] = str.format
) -> str:
    """As plain text; of a page, which has its own way to tell a moment, as markup."""
    state: ScheduleState | None = getattr(schedule, "state", None)
    if is_done(schedule):
        return _("It was due once, and has run.")
    if state is None or not state.off_at:
        return _("It is off, so that nothing fires.")
    why = f" {state.reason}" if state.reason else ""
    return put(_("Turned off by {who}, {at}.{why}"), who=state.off_by, at=moment(state.off_at), why=why)


def is_done(schedule: PeriodicTask) -> bool:
    return bool(not schedule.enabled and schedule.one_off and schedule.total_run_count)


def reason_off(schedule: PeriodicTask) -> str:
    """For the list: what is wrong with it, or who turned it off."""
    state: ScheduleState | None = getattr(schedule, "state", None)
    if schedule.enabled or state is None:
        return ""
    return state.reason or (_("by %(who)s") % {"who": state.off_by} if state.off_by else "")


def badge(schedule: PeriodicTask) -> tuple[str, str]:
    """The kind of badge and its word. Red is for what beat turned off because it is broken."""
    if schedule.enabled:
        return "yes", _("on")
    if is_done(schedule):
        return "none", _("done")
    return (
        ("failure", _("broken")) if getattr(getattr(schedule, "state", None), "reason", "") else ("cancelled", _("off"))
    )
