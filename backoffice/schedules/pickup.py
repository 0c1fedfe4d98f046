"""What a worker knows of a firing: the headers of its message, and that it took it."""

from typing import Any

from celery import Task
from celery.signals import task_prerun
from django.db.models import F
from django.utils import timezone

from .models import Firing


def header(task: Task, name: str) -> Any:
    """A header of the message. Delivered ones are attributes of the request; eager calls keep them apart."""
    return task.request.get(name) or (task.request.get("headers") or {}).get(name)


@task_prerun.connect(dispatch_uid="backoffice.schedules.pickup")
def note_pickup(task: Task, task_id: str, **_: Any) -> None:
    """A beat killed between sending and writing that it sent left the firing waiting. Whoever takes the message writes
    it in its place, before the task begins, so that the next beat does not send it again."""
    if firing_id := header(task, "firing"):
        Firing.objects.waiting().filter(pk=firing_id, task_id=task_id).update(
            state=Firing.State.SENT, sent_at=timezone.now(), attempts=F("attempts") + 1, reason=""
        )
