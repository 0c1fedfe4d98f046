"""What an entry of the activity log says beside who, what and when: in words, changes as before and after."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from backoffice.results.models import Activity
from backoffice.runs.change import told
from backoffice.runs.change.shown import Change
from backoffice.runs.labels import task_label
from backoffice.runs.models import source_words
from backoffice.runs.pages import timeline
from backoffice.schedules.pages.history import changed_fields

CHANGES, CORRECTIONS, DAYS = "changes", "corrections", "days"
LABELS = {
    "total": _("Records"),
    "number": _("How many"),
    "skipped": _("Skipped"),
    "source": _("Started by"),
    "undoes": _("Undoes run"),
    "undo": _("Undone by run"),
    "left_undone": _("Not worked on"),
    "in_hand": _("Being worked on"),
    "left_alone": _("Left alone"),
    "had": _("Could do"),
    "again": _("Called again"),
    "lease_of": _("Left by"),
    DAYS: _("Kept for, in days"),
}


def changes(entry: Activity) -> list[Change]:
    """But for what the team keeps off its pages, and what is not before and after."""
    found, model = entry.details.get(CHANGES), model_of(entry.model)
    if isinstance(found, Mapping) and model is PeriodicTask:
        return [Change(*each) for each in changed_fields({name: pair for name, pair in found.items() if is_pair(pair)})]
    days = entry.details.get(DAYS)
    kept = [Change(str(LABELS[DAYS]), *map(told.plain, days))] if is_pair(days) else []
    return [*timeline.pairs(model, found), *timeline.kept(model, entry.details.get(CORRECTIONS)), *kept]  # type: ignore[arg-type]


def facts(entry: Activity) -> Iterator[tuple[str, str]]:
    """Everything else that says something, each with its label."""
    for name, value in entry.details.items():
        text = (
            source_words(str(value), entry.actor if entry.actor_id else "") if name == "source" else word(name, value)
        )
        if text and name not in (CHANGES, CORRECTIONS) and not (name == DAYS and is_pair(value)):
            yield str(LABELS.get(name) or capfirst(name.replace("_", " "))), text


def word(name: str, value: Any) -> str:
    if name == "task" and isinstance(value, str):
        return task_label(value)
    return told.plain(value)


def in_a_line(entry: Activity, longest: int = 120) -> str:
    """The reason first: it is why somebody looks."""
    said = sorted(facts(entry), key=lambda fact: fact[0] != capfirst("reason"))
    moves = [f"{each.label}: {each.before or '–'} → {each.after or '–'}" for each in changes(entry)]
    line = ", ".join([*(f"{label}: {text}" for label, text in said[:1]), *moves, *(f"{a}: {b}" for a, b in said[1:])])
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def is_pair(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2


def model_of(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label) if label else None
    except (LookupError, ValueError):  # of a version before, or no model at all
        return None
