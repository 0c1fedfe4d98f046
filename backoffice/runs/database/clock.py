"""The database's time, the one clock that all machines share: for leases and heartbeats, which others judge."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now

NONE = timedelta(0)


def now(ahead: timedelta = NONE) -> ExpressionWrapper:
    """For filters and updates: what the database's clock says when the statement runs, and so much more."""
    return ExpressionWrapper(Now() + ahead if ahead else Now(), output_field=DateTimeField())


def is_far(field: str, most: timedelta) -> Q:
    """What lies further ahead than anybody writes it, `most`, was written before the clock was set back: it would hold
    for as long as that was."""
    return Q(**{f"{field}__gt": now(10 * most)})
