"""Cancelling a plain task that listens: a row, which it looks for while it works."""

from typing import Any

from django.db import transaction

from . import activity
from .models import CancelRequest
from .values.text import storable


def request_cancel(task_id: str, by: Any) -> bool:
    """Ask a task to stop. False when it was asked already."""
    who = storable(activity.name_of(by), 150)
    with transaction.atomic():
        _request, made = CancelRequest.objects.get_or_create(task_id=task_id, defaults={"requested_by": who})
        if made:
            activity.log(by, "task.cancelled", task_id)
    return made


def cancel_requested(task_id: str) -> bool:
    return CancelRequest.objects.filter(task_id=task_id).exists()
