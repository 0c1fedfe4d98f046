"""What a schedule did and who changed it, and the writing of a change with before and after."""

from typing import Any

from django_celery_beat.models import PeriodicTask, PeriodicTasks

from backoffice.results.models import Activity

from . import switch, words
from .forms import ScheduleForm
from .models import Firing

SHOWN = 30


def of(row: PeriodicTask) -> dict[str, Any]:
    """For the page of a schedule."""
    state = getattr(row, "state", None)
    changes = Activity.objects.filter(model=PeriodicTask._meta.label_lower, object_id=str(row.pk))
    return {
        "firings": Firing.objects.filter(schedule=row).select_related("run")[:SHOWN],
        "activities": changes[:SHOWN],
        "state": state if state and not row.enabled else None,
        "in_words": words.when(row),
    }


def save_with_log(row: PeriodicTask, form: ScheduleForm, change: bool, by: Any) -> None:
    """Save what the form holds, its options beside it, and one activity that says what changed from what to what."""
    was_on = bool(change and form.initial.get("enabled"))
    row.save(update_fields=staff_columns(row) if change else None)
    form.save_options()
    if row.enabled:
        row.state.__class__.objects.filter(pk=row.pk).update(reason="", off_by="", off_at=None)
    elif was_on:
        switch.note_off(row.pk, by)
    changes = {name: [plain(form.initial.get(name)), plain(form.cleaned_data.get(name))] for name in form.changed_data}
    if change and not changes:
        return
    details = {"changes": changes} if change else {"what": words.what(row), "when": words.when(row)}
    switch.log(by, "schedule.changed" if change else "schedule.added", row.pk, row.name, **details)
    PeriodicTasks.update_changed()


def staff_columns(row: PeriodicTask) -> list[str]:
    """All but beat's own: what it counted while the form was open stays."""
    beats = {"id", "total_run_count", *(["last_run_at"] if row.enabled else [])}
    return [field.name for field in row._meta.concrete_fields if field.name not in beats]


def plain(value: Any) -> Any:
    """As JSON can keep it."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)
