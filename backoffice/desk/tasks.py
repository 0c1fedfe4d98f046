"""The desk's own tasks."""

from celery import shared_task
from django.core.management import call_command

from .agreement import asking
from .audit import retention
from .home import counting
from .people import throttle

WORTH = 3600  # seconds: a message nobody took in an hour is replaced by tomorrow's


@shared_task(ignore_result=True, system_schedule=True)
def apply_retention() -> None:
    """Delete what is older than staff want to keep, a little at a time: the sweep waits in the same queue."""
    if retention.apply():
        apply_retention.apply_async(expires=WORTH)


@shared_task(ignore_result=True, system_schedule=True)
def clear_sessions() -> None:
    """Remove what has ended by itself and nobody will ask for: sessions, and counts of wrong passwords."""
    call_command("clearsessions")
    throttle.forget_old()


@shared_task(ignore_result=True, system_schedule=True)
def count_records() -> None:
    """Count for the desk what waits in each list, and what came of records today."""
    counting.count()


@shared_task(ignore_result=True)
def compare_ledger(comparison: int) -> None:
    """Compare ledger, task results and Redis, as somebody has asked."""
    asking.compare(comparison)
