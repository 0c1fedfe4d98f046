"""The tasks that beat's rows name."""

from typing import Any

from celery import Task, shared_task

from backoffice.results.message import headers

from . import scheduled


@shared_task(bind=True)
def start_scheduled_run(
    self: Task,
    task: str,
    filter: dict[str, Any] | None = None,
    selection: str = "",
    parameters: dict[str, Any] | None = None,
    only_needed: bool = False,
) -> str:
    """Start a run of a record task over the records that `filter` or `selection` choose now; over all without.

    `parameters`: of the record task's form, as submitted. `only_needed`: of these records those that need the task.
    """
    return scheduled.start_run(
        task,
        {"filter": filter, "selection": selection, "only_needed": only_needed},
        parameters,
        schedule_name=headers.schedule(self.request) or "",
        firing_id=headers.firing(self.request),
    )


@shared_task
def start_due_run(run_id: int) -> str:
    """Start a run whose time has come: the clocked row behind "Process later"."""
    return scheduled.start_due(run_id)
