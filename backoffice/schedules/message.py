"""What a worker knows of a firing: that it took its message."""

from typing import Any

from celery import Task
from celery.exceptions import Ignore
from celery.signals import task_prerun
from celery.utils.log import get_task_logger
from django.db.models import Case, CharField, F, Q, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from backoffice.results.message import headers
from backoffice.results.values.redaction import RedactingTask

from .models import Firing

logger = get_task_logger(__name__)


@task_prerun.connect(dispatch_uid="backoffice.schedules.message")
def note_taken(task: Task, task_id: str, **_: Any) -> None:
    """A beat killed between sending and writing that it sent left the firing waiting. Whoever takes the message writes
    it in its place, before the task begins, so that the next beat does not send it again."""
    if firing_id := headers.firing(task.request):
        waits = Q(state=Firing.State.WAITING)
        Firing.objects.filter(pk=firing_id, task_id=task_id, taken=None).update(
            taken=headers.attempt(task.request),
            state=Case(When(waits, then=Value(Firing.State.SENT)), default=F("state"), output_field=CharField()),
            reason=Case(When(waits, then=Value("")), default=F("reason"), output_field=TextField()),
            sent_at=Coalesce("sent_at", Value(timezone.now())),
        )


def refuse_another(task: Task) -> None:
    """Of two messages of one firing the one that was taken first runs, whatever task it is for.

    There are two where a beat stood still for very long in the middle of sending, or the broker took what it had not
    answered. One that is delivered again is no other message: it has the same number.
    """
    firing_id, number = headers.firing(task.request), headers.attempt(task.request)
    if firing_id is None or number is None:
        return
    others = Firing.objects.filter(pk=firing_id, task_id=task.request.id).exclude(taken=None)
    if others.exclude(taken=number).exists():
        logger.warning("Another message of firing %s was taken before: nothing to do.", firing_id)
        raise Ignore


RedactingTask.guards.append(refuse_another)
