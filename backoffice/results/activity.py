"""Writing the activity log. Call it inside the transaction of what it records."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from .models import Activity
from .values.text import deep, storable

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is no row of a model, and whose entries are to be found again all the same."""

    name: str
    label: str
    key: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Person:
    """A user by name and number, where the row itself is not at hand."""

    name: str
    pk: int | None

    def __str__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return bool(self.name)


def name_of(actor: object) -> str:
    """A user's as they sign in with it: what a model of a team's own calls them need be nobody's alone."""
    signs_in_as: Any = getattr(actor, "get_username", lambda: "")
    return str(signs_in_as() or actor)


def number_of(actor: object) -> int | None:
    """A user's number; None for the machine, and for a name that is nobody's."""
    found = getattr(actor, "pk", None)
    return found if isinstance(found, int) else None


def label_of(model: type[Model] | Model) -> str:
    """Under which label entries of a model or row are found; of a proxy that of the model whose rows they are."""
    return str((model._meta.concrete_model or model)._meta.label_lower)


def log(actor: object, verb: str, target: Model | Subject | str = "", **details: Any) -> Activity:
    """Append one entry. `actor` is a user, a Person, a name, or None for the system itself."""
    made = entry(actor, verb, target, **details)
    made.save()
    return made


def entry(actor: object, verb: str, target: Model | Subject | str = "", **details: Any) -> Activity:
    """One that is not yet written: thousands are written by one `bulk_create`."""
    made = Activity(
        actor=storable(name_of(actor or SYSTEM), 150),
        actor_id=number_of(actor),
        verb=verb,
        target=storable(name_of(target), 200),
        details=deep(details),
    )
    if isinstance(target, Model):
        made.model, made.object_id = label_of(target), str(target.pk)
    elif isinstance(target, Subject):
        made.model, made.object_id = target.label, target.key
    return made
