"""A task's own code leaves a transaction open: its error, told in both stores, and nobody else's."""

import pytest
from celery.result import AsyncResult
from django_celery_results.models import TaskResult

from backoffice.runs.doctor.compare import measure
from backoffice.runs.models import RunItem
from tests.probe.models import Probe
from tests.probe.tasks import LEFT, echo, leave, poke
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_plain_task_that_leaves_a_transaction_open_fails_in_both_stores_and_the_next_is_kept(worker):
    for kind in LEFT:
        calls = [leave.delay(kind), *(echo.delay(number) for number in range(4))]
        states = [call.get(timeout=20, propagate=False) and call.state for call in calls]
        assert states == ["FAILURE", *["SUCCESS"] * 4], kind
        assert "left a transaction open" in str(calls[0].result)
        rows = dict(TaskResult.objects.filter(task_id__in=[call.id for call in calls]).values_list("task_id", "status"))
        assert [rows[call.id] for call in calls] == states


@pytest.fixture
def worker(lasting_worker):
    return lasting_worker


def test_records_that_leave_a_transaction_open_fail_alone(worker):
    probes(8)
    bad = [Probe.objects.create(text=kind, behaviour="left_open").pk for kind in LEFT]
    run = poke_all()
    wait_until(lambda: run.refresh_from_db() or run.finished_at, what="the run's end")
    assert (run.succeeded, run.failed) == (8, len(LEFT))
    for item in RunItem.objects.filter(run=run, record_id__in=bad):
        assert "left a transaction open" in item.error
        assert item.attempts == 1
        assert AsyncResult(item.task_id).state == "FAILURE"
    assert measure().total == 0
    assert not Probe.objects.filter(pk__in=bad).exclude(effects=0).exists()


def test_a_record_task_called_plainly_does_not_save_what_was_left_open(worker):
    for kind in LEFT:
        made = Probe.objects.create(text=kind, behaviour="left_open")
        call = poke.delay(made.pk)
        assert "left a transaction open" in str(call.get(timeout=20, propagate=False))
        made.refresh_from_db()
        assert (call.state, TaskResult.objects.get(task_id=call.id).status, made.effects) == ("FAILURE", "FAILURE", 0)
