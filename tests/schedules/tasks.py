"""What the schedules of the tests call."""

from celery import shared_task

PROCESS = "records.tasks.process_model_instance"
START_RUN = "backoffice.schedules.tasks.start_scheduled_run"
TICK = "tests.schedules.tasks.tick"


@shared_task(name=TICK, schedulable=True)
def tick(n: int = 1) -> int:
    return n


@shared_task(name="tests.schedules.tasks.secret")
def secret() -> None:
    """A task that nobody allowed."""
