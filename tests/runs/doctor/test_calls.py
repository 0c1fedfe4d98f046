"""What `doctor` says, and mends, of calls outside of runs."""

from datetime import timedelta

import pytest
from celery import current_app, states
from celery.result import AsyncResult
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.desk.health.thorough import lost_code
from backoffice.results import rows, spool
from backoffice.results.models import Activity
from backoffice.runs.doctor import calls
from backoffice.runs.doctor.compare import measure
from backoffice.runs.models import TaskName
from backoffice.runs.sweep import sweep
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)
ID = "3f1c0c5e-0000-4000-8000-000000000009"


def call(row, key=None, age=timedelta(minutes=1), result="done"):
    """A call whose row tells one state and whose key another."""
    rows.write([rows.row(ID, row, name="a.task", args=[1], kwargs={}, result=result, now=timezone.now() - age)])
    if key:
        meta = {"status": key, "result": result, "name": "a.task", "args": [1], "kwargs": {}, "task_id": ID}
        current_app.backend.client.set(current_app.backend.get_key_for_task(ID), current_app.backend.encode(meta))


def state_in_redis():
    return current_app.backend.decode(current_app.backend.get(current_app.backend.get_key_for_task(ID)))["status"]


@pytest.mark.parametrize(
    ("row", "key", "right"),
    [("SUCCESS", "FAILURE", "SUCCESS"), ("FAILURE", "SUCCESS", "FAILURE"), ("SUCCESS", "STARTED", "SUCCESS"),
     ("STARTED", "FAILURE", "FAILURE"), ("STARTED", "SUCCESS", "SUCCESS")],
)  # fmt: skip
def test_a_call_that_row_and_key_tell_differently_is_counted_and_mended(row, key, right):
    error = rows.error(ValueError("why"))
    call(row, key, result=error if "FAILURE" in (row, key) else "done")
    assert measure().calls_wrong == 1
    measure(repair=True, by="test")
    assert measure().total == 0
    assert (TaskResult.objects.get().status, state_in_redis(), AsyncResult(ID).state) == (right, right, right)
    assert Activity.objects.filter(verb="run.repaired").count() == 1


@pytest.mark.parametrize(("row", "key"), [("SUCCESS", "SUCCESS"), ("SUCCESS", None), ("STARTED", None)])
def test_a_call_that_is_told_alike_or_only_by_its_row_is_no_fault(row, key):
    call(row, key)
    assert measure().total == 0


def test_a_call_that_began_long_ago_comes_to_an_end():
    call(states.STARTED, age=calls.for_ever() + timedelta(minutes=1))
    assert measure().calls_stuck == 1
    measure(repair=True, by="test")
    found = TaskResult.objects.get()
    assert (found.status, found.task_name, found.task_args) == ("FAILURE", "a.task", "[1]")
    assert measure().total == 0


def test_a_waiting_row_that_is_none_holds_no_other_up_and_is_counted_and_shown():
    client = current_app.backend.client
    for number, kept in enumerate(["{", "[]", '{"task_id": 5}', "null", b"\xff", '{"a": "' + "x" * 5_000 + '"}']):
        client.zadd(spool.KEY, {kept: number})
    spool.for_database(client, rows.row(ID, states.SUCCESS, result=1))
    assert sweep()["delivered"] == 7
    assert TaskResult.objects.get().task_id == ID
    assert (client.zcard(spool.KEY), measure().set_aside) == (0, 6)
    measure(repair=True, by="test")
    assert len(Activity.objects.get(verb="run.repaired").details["never_written"]) == 6
    assert measure().total == 0


def test_an_open_run_whose_code_is_gone_is_named():
    probes(1)
    run = poke_all()
    assert lost_code().ok
    TaskName.objects.filter(pk=run.task_id).update(name="no.such.task")
    found = lost_code()
    assert not found.ok
    assert f"Run {run.pk} waits for “no.such.task”." in found.summary
