"""The machine's own tasks."""

from celery import shared_task

from . import sweep as reconciler


@shared_task(ignore_result=True)
def sweep() -> None:
    """Start what is due, rescue what is stuck, close what is finished."""
    reconciler.sweep()
