import os
from typing import Any

from celery import shared_task
from django.db import connection
from django.db.backends.signals import connection_created

from backoffice.runs.models import Outcome
from backoffice.runs.record_task import record_task

from .models import Never, Odd, Probe


@record_task(
    "probe.Probe", reads=("text", "behaviour", "effects"), writes=("result", "effects", "processed"), max_retries=2
)
def poke(instance: Probe) -> Outcome:
    return instance.process()


@record_task(
    "probe.Probe",
    reads=("text", "behaviour", "effects"),
    writes=("result", "effects", "processed"),
    soft_time_limit=2,
    time_limit=4,
)
def poke_briefly(instance: Probe) -> Outcome:
    return instance.process()


@record_task("probe.Odd", writes=("effects", "processed"), max_retries=1)
def poke_odd(instance: Odd) -> Outcome:
    return instance.process()


@record_task("probe.Never", writes=("effects", "processed"), max_retries=1)
def poke_never(instance: Never) -> Outcome:
    return instance.process()


_connections_made = 0


def _count_connection(**_kwargs: Any) -> None:
    global _connections_made
    _connections_made += 1


connection_created.connect(_count_connection)


@shared_task
def connections_made(leave_inside: bool = False) -> tuple[int, int]:
    """Process id, and how many connections to the database it has opened. May leave one inside a transaction."""
    connection.ensure_connection()
    if leave_inside:
        connection.set_autocommit(False)
    return os.getpid(), _connections_made
