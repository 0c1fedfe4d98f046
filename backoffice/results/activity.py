"""Writing the activity log. Call it inside the transaction of what it records."""

from typing import Any

from django.db.models import Model

from .models import Activity

SYSTEM = "system"


def log(actor: object, verb: str, target: Model | str = "", **details: Any) -> Activity:
    """Append one entry. `actor` is a user, a name, or None for the system itself."""
    entry = Activity(actor=str(actor or SYSTEM)[:150], verb=verb, target=str(target)[:200], details=details)
    if isinstance(target, Model):
        entry.model, entry.object_id = target._meta.label_lower, str(target.pk)
    entry.save()
    return entry
