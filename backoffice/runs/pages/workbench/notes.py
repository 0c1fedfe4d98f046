"""What a check says of a field, beside that field of the form; of one that the form has not, above it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import flatten_fieldsets

Notes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Note:
    """Of one field, as `runs/record/note.html` draws it."""

    text: Any
    word: Any = ""  # of a badge before it
    colour: str = "calm"  # of that badge: good, bad, warning, info, hint or calm
    suggestion: str | None = None  # what the field may be set to by one click; "" empties it
    value: Any = None  # of which it was said
    is_old: bool = False  # another value stands there since


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Notes of a field that the form does not show."""

    label: str
    notes: Sequence[Any]


def beside(form: Any, notes: Notes) -> None:
    """Each input is described by its notes, beside its help text and errors."""
    for name in (name for name, found in notes.items() if found and name in form.fields):
        bound = form[name]
        described = [bound.aria_describedby, f"id_{name}_notes"]
        form.fields[name].widget.attrs["aria-describedby"] = " ".join(filter(None, described))


def elsewhere(model_admin: Any, fieldsets: Any, notes: Notes) -> list[Elsewhere]:
    shown = set(flatten_fieldsets(fieldsets))
    labels = {field.name: str(field.verbose_name) for field in model_admin.opts.concrete_fields}
    left = ((name, found) for name, found in notes.items() if found and name not in shown)
    return [Elsewhere(labels.get(name, name), found) for name, found in left]
