"""The schedules that stand in code, and their rows: the code's edits reach the rows that staff have left alone."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from celery import Celery, current_app
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backoffice.runs.database import references

from .. import access, enabling, entries
from ..models import Configured, ScheduleState
from ..rules import permitted
from . import leading

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """One name: what the code says (None: no longer there), what was written before, and the row there is."""

    name: str
    wanted: dict[str, Any] | None
    known: Configured | None
    schedule: PeriodicTask | None
    refusal: str = ""

    @property
    def agrees(self) -> bool:
        """The row has, or had when staff took it over, what the code says."""
        if self.wanted is None:
            return self.known is None
        if self.known:
            return self.known.written == self.wanted
        return self.schedule is not None and says(self.schedule, self.wanted)

    @property
    def is_untouched(self) -> bool:
        """Whether the code may still decide: staff have changed, renamed or deleted nothing."""
        if self.known is None or self.schedule is None:
            return self.schedule is None and (self.known is None or self.wanted is None)
        return self.schedule.name == self.name and says(self.schedule, self.known.written)

    @property
    def remark(self) -> str:
        """What to say where code and row disagree and the code may not decide; "" where they agree."""
        if self.refusal:
            return _("It does not run as written in code: %(why)s.") % {"why": self.refusal}
        if self.agrees or self.is_untouched:
            return ""
        if self.wanted is None:
            return _("It is no longer in the code, and goes on, because it was changed here: delete it, or leave it.")
        if self.schedule is None:
            return _("It was deleted here, and changed in code since: it does not run. Take the code's, or leave it.")
        return _("It is another one here than in the code: it runs as it stands here. Take the code's, or leave it.")


def says(schedule: PeriodicTask, columns: dict[str, Any]) -> bool:
    """Whether the row has these columns still. That beat turned it off is no wish of anybody's."""
    found = entries.columns_in(schedule)
    if not schedule.enabled and ScheduleState.objects.filter(pk=schedule.pk, off_by__in=("", enabling.BEAT)).exists():
        found["enabled"] = columns["enabled"]
    return found == columns


def in_code(app: Celery) -> dict[str, Any]:
    """And celery.backend_cleanup where the result backend needs it; the stock scheduler always inserts it."""
    found = dict(app.conf.beat_schedule)
    if app.conf.result_expires and not app.backend.supports_autoexpire:
        found.setdefault("celery.backend_cleanup", leading.CLEANUP)
    return found


def cases(app: Celery) -> Iterator[Case]:
    known = {each.name: each for each in Configured.objects.select_related("schedule")}
    code = in_code(app)
    for name in [*code, *(known.keys() - code.keys())]:
        wanted, refusal = read(name, code[name]) if name in code else (None, "")
        kept = known.get(name)
        schedule = (kept and kept.schedule) or PeriodicTask.objects.filter(name=name).first()
        yield Case(name, wanted, kept, schedule, refusal)


def read(name: str, entry: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    try:
        if len(name) > 200:
            return None, _("its name has more than 200 letters")
        return entries.columns_of(entry), ""
    except (entries.Unkept, KeyError, TypeError, ValueError, ArithmeticError) as error:
        return None, str(error).rstrip(".")


def apply(app: Celery) -> None:
    """At beat's start: write what the code may decide, and say the rest."""
    for case in cases(app):
        if case.remark:
            level = logging.ERROR if case.refusal else logging.WARNING
            logger.log(level, "The entry %r of CELERY_BEAT_SCHEDULE: %s", case.name, case.remark)
            continue
        try:
            with transaction.atomic():
                apply_one(case)
        except DatabaseError:  # another beat that starts at the same moment was first, or it does not fit the tables
            logger.exception("The entry %r of CELERY_BEAT_SCHEDULE could not be written.", case.name)


def apply_one(case: Case) -> None:
    if not case.agrees:
        enforce(case, enabling.BEAT)
    elif case.known is None and case.schedule:  # from before this was noted
        keep(case, case.schedule)


def enforce(case: Case, by: Any) -> None:
    """Make the row what the code says, whatever it is now."""
    if case.wanted is None:
        remove(case, by)
        return
    schedule = case.schedule
    if schedule is None:
        schedule = PeriodicTask.objects.create(name=case.name, **entries.schedule_values(case.wanted))
        enabling.log(by, "schedule.added", schedule.pk, schedule.name, reason=_("as in CELERY_BEAT_SCHEDULE"))
    else:
        rewrite(schedule, case, case.wanted, by)
    keep(case, schedule)


def may_enforce(user: Any, case: Case) -> bool:
    """Whoever could do the same by hand."""
    if case.refusal or not case.remark:
        return False
    verb = "delete" if case.wanted is None else "change" if case.schedule else "add"
    if not user.has_perm(f"django_celery_beat.{verb}_periodictask"):
        return False
    if case.schedule and not (access.may_delete if case.wanted is None else access.may_change)(user, case.schedule):
        return False
    return case.wanted is None or permitted.may_schedule(user, case.wanted["task"], case.wanted["kwargs"])


def keep(case: Case, schedule: PeriodicTask) -> None:
    Configured.objects.update_or_create(name=case.name, defaults={"schedule": schedule, "written": case.wanted})


def rewrite(schedule: PeriodicTask, case: Case, wanted: dict[str, Any], by: Any) -> None:
    was = entries.columns_in(schedule)
    values = {"name": case.name, **entries.schedule_values(wanted), "date_changed": timezone.now()}
    state: dict[str, Any] = {"owner_id": None, "owner_name": ""}  # nobody's: the code's
    if wanted["enabled"] and not schedule.enabled:
        values["last_run_at"] = None
        state |= {"reason": "", "off_by": "", "off_at": None, "timing": ""}
    PeriodicTask.objects.filter(pk=schedule.pk).update(**values)
    ScheduleState.objects.filter(pk=schedule.pk).update(**state)
    changes = {name: [str(was[name]), str(value)] for name, value in wanted.items() if was[name] != value}
    enabling.log(
        by, "schedule.changed", schedule.pk, case.name, reason=_("as in CELERY_BEAT_SCHEDULE"), changes=changes
    )
    PeriodicTasks.update_changed()


def remove(case: Case, by: Any) -> None:
    if case.schedule:
        enabling.log(
            by, "schedule.deleted", case.schedule.pk, case.schedule.name, reason=_("removed from CELERY_BEAT_SCHEDULE")
        )
        references.before_deletion(PeriodicTask.objects.filter(pk=case.schedule.pk))
        case.schedule.delete()
    Configured.objects.filter(name=case.name).delete()


def remarks(user: Any) -> list[tuple[Case, bool]]:
    """For the pages: what is to be decided, and whether this person may."""
    return [(case, may_enforce(user, case)) for case in cases(current_app) if case.remark]


def take(name: str, user: Any) -> bool:
    """By hand: as in the code. False for who may not, or where nothing is to be decided."""
    found = next((case for case in cases(current_app) if case.name == name and may_enforce(user, case)), None)
    if found:
        enforce(found, user)
    return found is not None
