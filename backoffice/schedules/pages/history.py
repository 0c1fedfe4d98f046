"""What a schedule did and who changed it, and the writing of a change with before and after."""

from collections.abc import Iterator
from typing import Any

from celery import current_app
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backoffice.results.models import Activity

from .. import access, enabling, owner
from ..beat import configured, fire
from ..form.form_timing import KINDS
from ..form.forms import ScheduleForm
from ..models import Firing, ScheduleState
from ..rules import words as in_words
from . import status

SHOWN = 30
VERBS = {
    "schedule.added": gettext_lazy("Added"),
    "schedule.changed": gettext_lazy("Changed"),
    "schedule.enabled": gettext_lazy("Turned on"),
    "schedule.disabled": gettext_lazy("Turned off"),
    "schedule.run_now": gettext_lazy("Run now"),
    "schedule.done": gettext_lazy("Turned off: it was due once, and fired"),
}


def of(schedule: PeriodicTask) -> dict[str, Any]:
    """For the page of a schedule."""
    changes = Activity.objects.filter(model=PeriodicTask._meta.label_lower, object_id=str(schedule.pk))
    return {
        "firings": Firing.objects.filter(schedule=schedule).select_related("run")[:SHOWN],
        "changes": [change(activity) for activity in changes[:SHOWN]],
        "quiet": fire.is_quiet(schedule),
        "standing": status.in_words(schedule),
        "badge": status.badge(schedule),
        "owner": owner.in_words(schedule),
        "code": next(
            (case.remark for case in configured.cases(current_app) if case.schedule == schedule and case.remark), ""
        ),
    }


def change(activity: Activity) -> dict[str, Any]:
    """An activity as people read it."""
    what = str(VERBS.get(activity.verb, activity.verb))
    if reason := activity.details.get("reason"):
        what = f"{what}: {reason}"
    fields = list(changed_fields(activity.details.get("changes") or {}))
    return {"at": activity.at, "who": activity.actor, "what": what, "fields": fields}


def changed_fields(changes: dict[str, list[Any]]) -> Iterator[tuple[str, str, str]]:
    for name, (before, after) in changes.items():
        field = ScheduleForm.base_fields.get(name)
        yield str((field and field.label) or name), shown(before), shown(after)


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _("nothing") if value in (None, "") else str(value)


def save_with_log(schedule: PeriodicTask, form: ScheduleForm, change: bool, by: Any) -> None:
    """Save what the form changed, its options beside it, and one activity that says what changed from what to what."""
    if not change:
        schedule.save()
        details: dict[str, Any] = {"what": in_words.what(schedule), "when": in_words.when(schedule)}
    elif changes := form.changes():
        write(schedule, form)
        details = {"changes": changes}
    else:
        return
    form.save_options()
    note_switched(schedule, form, by)
    ScheduleState.objects.filter(pk=schedule.pk).update(**access.owned_by(schedule, by))
    enabling.log(by, "schedule.changed" if change else "schedule.added", schedule.pk, schedule.name, **details)
    PeriodicTasks.update_changed()


def write(schedule: PeriodicTask, form: ScheduleForm) -> None:
    """Only the columns that changed: what beat counted while the form was open stays, and so does a bad timing."""
    columns = form.columns()
    if "enabled" in columns:
        columns["last_run_at"] = None  # beat's own sign that it was off in between
    if columns.keys() & {"enabled", "start_time", *(f"{kind}_id" for kind in KINDS)}:
        columns["date_changed"] = timezone.now()  # due times count from now on
    PeriodicTask.objects.filter(pk=schedule.pk).update(**columns)


def note_switched(schedule: PeriodicTask, form: ScheduleForm, by: Any) -> None:
    ScheduleState.objects.get_or_create(schedule_id=schedule.pk)
    if "enabled" not in form.touched:
        return
    if schedule.enabled:
        ScheduleState.objects.filter(pk=schedule.pk).update(reason="", off_by="", off_at=None, timing="")
    elif form.stored["enabled"] and form.stored["id"]:
        enabling.note_off(schedule.pk, by)
