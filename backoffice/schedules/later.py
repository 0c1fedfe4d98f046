"""A run for later: the snapshot now, the start by a one-off clocked schedule."""

import json
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from backoffice import queues
from backoffice.runs import start
from backoffice.runs.database.again import again
from backoffice.runs.models import Run

from .models import Missed, ScheduleState
from .rules import permitted


@again()
def plan(records: QuerySet[Any], task: str, request: start.RunRequest) -> Run:
    """Make the run, of which the request says when it is due, and its clocked schedule in one transaction.

    Raises what runs.start does.

    The same form twice gives the same run, and one schedule: its name is the run's.
    """
    with transaction.atomic():
        run = start.start_requested(records, task, request)
        schedule, created = PeriodicTask.objects.get_or_create(name=schedule_name(run), defaults=schedule_values(run))
        if created:
            ScheduleState.objects.create(schedule=schedule, missed=Missed.ONCE)
    return run


def schedule_name(run: Run) -> str:
    """A code, of which `words.called` makes words."""
    return f"start-run-{run.pk}"


def schedule_values(run: Run) -> dict[str, Any]:
    clocked = ClockedSchedule.objects.filter(clocked_time=run.due_at).first()
    return {
        "task": permitted.START_DUE,
        "clocked": clocked or ClockedSchedule.objects.create(clocked_time=run.due_at),
        "one_off": True,
        "queue": queues.CONTROL,
        "kwargs": json.dumps({"run_id": run.pk}),
        "description": _("Planned by %(who)s.") % {"who": run.requester_name},
    }
