"""What a schedule did and who changed it, and the writing of a change with before and after."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backoffice.results.models import Activity

from . import access, fire, owner, standing, switch
from . import words as in_words
from .forms import ScheduleForm
from .models import Firing, ScheduleState

SHOWN = 30
VERBS = {
    "schedule.added": gettext_lazy("Added"),
    "schedule.changed": gettext_lazy("Changed"),
    "schedule.enabled": gettext_lazy("Turned on"),
    "schedule.disabled": gettext_lazy("Turned off"),
    "schedule.run_now": gettext_lazy("Run now"),
    "schedule.done": gettext_lazy("Turned off: it was due once, and fired"),
}


def of(row: PeriodicTask) -> dict[str, Any]:
    """For the page of a schedule."""
    changes = Activity.objects.filter(model=PeriodicTask._meta.label_lower, object_id=str(row.pk))
    return {
        "firings": Firing.objects.filter(schedule=row).select_related("run")[:SHOWN],
        "changes": [change(activity) for activity in changes[:SHOWN]],
        "quiet": fire.is_quiet(row),
        "standing": standing.in_words(row),
        "badge": standing.badge(row),
        "owner": owner.in_words(row),
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


def save_with_log(row: PeriodicTask, form: ScheduleForm, change: bool, by: Any) -> None:
    """Save what the form holds, its options beside it, and one activity that says what changed from what to what."""
    was_on = bool(change and form.initial.get("enabled"))
    row.save(update_fields=staff_columns(row) if change else None)
    form.save_options()
    if form.changed_data:
        ScheduleState.objects.filter(pk=row.pk).update(**access.owned_by(row, by))
    if row.enabled:
        row.state.__class__.objects.filter(pk=row.pk).update(reason="", off_by="", off_at=None)
    elif was_on:
        switch.note_off(row.pk, by)
    changes = {name: [plain(form.initial.get(name)), plain(form.cleaned_data.get(name))] for name in form.changed_data}
    if change and not changes:
        return
    details = {"changes": changes} if change else {"what": in_words.what(row), "when": in_words.when(row)}
    switch.log(by, "schedule.changed" if change else "schedule.added", row.pk, row.name, **details)
    PeriodicTasks.update_changed()


def staff_columns(row: PeriodicTask) -> list[str]:
    """All but beat's own: what it counted while the form was open stays."""
    beats = {"id", "total_run_count", *(["last_run_at"] if row.enabled else [])}
    return [field.name for field in row._meta.concrete_fields if field.name not in beats]


def plain(value: Any) -> Any:
    """As JSON can keep it."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)
