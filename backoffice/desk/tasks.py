"""The desk's own task."""

from celery import shared_task

from . import retention

WORTH = 3600  # seconds: a message nobody took in an hour is replaced by tomorrow's


@shared_task(ignore_result=True, system_schedule=True)
def apply_retention() -> None:
    """Delete what is older than staff want to keep, a little at a time: the sweep waits in the same queue."""
    if retention.apply():
        apply_retention.apply_async(expires=WORTH)
