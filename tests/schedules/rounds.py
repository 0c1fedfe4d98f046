"""Beat's rounds in the test's own process, and the due times that they left."""

from celery import current_app

from backoffice.schedules.beat.scheduler import SteadyScheduler
from backoffice.schedules.models import Firing


def beat() -> SteadyScheduler:
    return SteadyScheduler(app=current_app._get_current_object(), lazy=True)


def round_of(scheduler: SteadyScheduler) -> None:
    """One round as it would be after a pause long enough for everything."""
    scheduler.read_at = scheduler.publish_at = scheduler.repeated_at = float("-inf")
    scheduler.leader.renewed_at = scheduler.leader.reported_at = float("-inf")
    scheduler.tick()


def dues(state: str = "sent") -> list[str]:
    return [f"{f.due_at:%d %H:%M}" for f in Firing.objects.filter(state=state).order_by("due_at")]
