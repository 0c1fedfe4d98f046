"""The states of runs and items, and which of them are an end."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Celery's own names (celery.states), for runs and items alike."""

    PENDING = "PENDING", _("pending")
    STARTED = "STARTED", _("started")
    RETRY = "RETRY", _("waiting to retry")
    SUCCESS = "SUCCESS", _("succeeded")
    FAILURE = "FAILURE", _("failed")
    REVOKED = "REVOKED", _("cancelled")


TERMINAL = (State.SUCCESS, State.FAILURE, State.REVOKED)
OPEN = (State.PENDING, State.STARTED, State.RETRY)
