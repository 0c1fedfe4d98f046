import os
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import Group
from django.db import connection
from django.db.backends.signals import connection_created

from backoffice.runs.seam import Outcome, Run, on_run_finished, record_task
from tests.probe.asked import Chosen, Wording
from tests.probe.kinds import Kinds
from tests.probe.left_open import LEFT
from tests.probe.models import Never, Odd, Probe
from tests.probe.parts import Part


@record_task(
    "probe.Probe",
    reads=("text", "behaviour", "effects"),
    writes=("result", "effects", "processed"),
    permission="probe.change_probe",
    max_retries=2,
)
def poke(instance: Probe) -> Outcome:
    return instance.process()


@record_task(
    "probe.Probe",
    reads=("text", "behaviour", "effects"),
    writes=("result", "effects", "processed"),
    permission="probe.change_probe",
    result="outcome",
)
def poke_and_tell(instance: Probe) -> Outcome:
    return instance.process()


@record_task(
    "probe.Probe",
    reads=("text", "behaviour", "effects"),
    writes=("result", "effects", "processed"),
    permission="probe.change_probe",
    soft_time_limit=2,
    time_limit=4,
)
def poke_briefly(instance: Probe) -> Outcome:
    return instance.process()


@record_task(
    "probe.Probe",
    reads=("text", "behaviour"),
    writes=("result", "processed"),
    permission="probe.change_probe",
    parameters=Wording,
    chunk_size=2,
)
def say(
    instance: Probe, *, word: str, times: int | None, loud: bool, ends: list[str], group: Group | None, when: datetime
) -> Outcome:
    said = word * (times or 1) + "".join(ends) + (group.name if group else "")
    instance.result, instance.processed = said.upper() if loud else said, True
    return Outcome("said", f"{when:%Y-%m-%d %H:%M}" if when else "")


@record_task("probe.Odd", writes=("effects", "processed"), permission="probe.change_odd", max_retries=1)
def poke_odd(instance: Odd) -> Outcome:
    return instance.process()


@record_task("probe.Never", writes=("effects", "processed"), permission="probe.change_never", max_retries=1)
def poke_never(instance: Never) -> Outcome:
    return instance.process()


@record_task("probe.Part", reads=("name", "whole__text"), writes=("processed",), permission="probe.change_part")
def poke_part(instance: Part) -> Outcome:
    return instance.process()


class Ended(BaseException):
    pass


ENDS: dict[str, type[BaseException]] = {
    kind.__name__: kind
    for kind in (ValueError, MemoryError, RecursionError, SystemExit, KeyboardInterrupt, GeneratorExit, Ended)
}
GIVEN: dict[str, Any] = {"set": {1, 2}, "timedelta": timedelta(1), "object": ENDS, "decimal": Decimal("1.50")}


@shared_task
def echo(*args: Any, **kwargs: Any) -> Any:
    return [list(args), kwargs]


@shared_task
def leave(kind: str) -> str:
    LEFT[kind]()
    return "left"


@shared_task
def give(kind: str) -> Any:
    return GIVEN[kind]


@shared_task
def end(kind: str, *args: Any) -> None:
    raise ENDS[kind](*args)


@shared_task(ignore_result=True)
def end_unheard(kind: str = "ValueError") -> None:
    raise ENDS[kind]("unheard")


@shared_task(bind=True, ignore_result=True, max_retries=1)
def try_unheard(self: Task) -> None:
    if not self.request.retries:
        self.update_state(state="PROGRESS", meta={"done": 0})
        raise self.retry(countdown=0)


@record_task(
    "probe.Probe",
    reads=("text",),
    writes=("result", "effects", "processed"),
    permission="probe.change_probe",
    time_limit=60,
)
def poke_within_a_minute(instance: Probe) -> Outcome:
    return instance.process()


@shared_task(time_limit=2)
def sleep_long() -> str:
    """Told by its soft limit that it is late, it says so."""
    try:
        time.sleep(30)
    except SoftTimeLimitExceeded:
        return "left in order"
    return "slept"


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


@record_task(
    "probe.Probe",
    reads=("text", "result"),
    writes=("text", "result"),
    permission="probe.change_probe",
    parameters=Chosen,
)
def shout(instance: Probe, fields_: list[str]) -> None:
    """Writes what its form has chosen, and changes no more."""
    for name in fields_:
        setattr(instance, name, getattr(instance, name).upper())
    if instance.behaviour == "more":
        instance.result = "more"


@record_task("probe.Kinds", writes=Kinds.WRITES, permission="probe.change_kinds", chunk_size=3)
def fill_kinds(instance: Kinds) -> Outcome:
    return instance.process()


@on_run_finished
def note_the_end(run: Run) -> None:
    """Leaves a trace of runs that ask for it."""
    if run.selection == "note the end":
        Probe.objects.create(text=f"run {run.pk} {run.state} told")
