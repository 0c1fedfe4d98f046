"""The queues there are. A plain `celery -A backoffice worker` serves all; `up` and deploy/ give each its own."""

from collections.abc import Sequence

from django.conf import settings

RECORDS = "records"  # chunks of runs
TASKS = "tasks"  # plain calls, and whatever names no other
CONTROL = "control"  # the machine's own: the sweep and what schedules start, never behind anybody's work
ALL: tuple[str, ...] = (RECORDS, CONTROL, TASKS)  # and a team's own, which the settings name

START_WORKER = "celery -A backoffice worker -l info"
START_ANOTHER = "celery -A backoffice worker -l info -Q %s -n %s@%%h --concurrency 1"


def declared() -> tuple[str, ...]:
    return tuple(queue.name for queue in settings.CELERY_TASK_QUEUES)


def own() -> tuple[str, ...]:
    return tuple(name for name in declared() if name not in ALL)


def start_for(names: Sequence[str]) -> str:
    """A worker for these queues. The one for records has as many processes as the machine has cores."""
    return START_WORKER if RECORDS in names else START_ANOTHER % (",".join(names), names[0])
