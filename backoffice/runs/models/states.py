"""The states of runs and items, and which of them are an end."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Celery's own names (celery.states), for runs and items alike."""

    PENDING = "PENDING", _("pending")
    STARTED = "STARTED", _("in progress")
    RETRY = "RETRY", _("waiting to retry")
    SUCCESS = "SUCCESS", _("succeeded")
    FAILURE = "FAILURE", _("failed")
    REVOKED = "REVOKED", _("cancelled")


# What Celery has besides, and the PROGRESS that a task tells of itself.
OTHERS = {
    "PROGRESS": State.STARTED.label,
    "RECEIVED": _("received"),
    "REJECTED": _("rejected"),
    "IGNORED": _("ignored"),
}
WORDS = {**dict(State.choices), **OTHERS}


def state_label(state: str) -> str:
    """The one word for a state, of runs, records and task results; a task may have states of its own."""
    return str(WORDS.get(state, state.lower().replace("_", " ")))


TERMINAL = (State.SUCCESS, State.FAILURE, State.REVOKED)
OPEN = (State.PENDING, State.STARTED, State.RETRY)
