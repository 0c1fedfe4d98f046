"""The machine's own tasks."""

from celery import shared_task

from . import sweep as reconciler
from .counting.again import count_missed
from .engine import events
from .failing.standing import settle_before

events.on_run_finished(count_missed)
events.on_run_finished(settle_before)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Start what is due, rescue what is stuck, close what is finished."""
    reconciler.sweep()


@shared_task(ignore_result=True)
def tell(event_id: int) -> None:
    """Tell whoever registered what happened."""
    events.tell(event_id)
