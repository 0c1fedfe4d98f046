"""Real workers, real Redis."""

import os
import signal

import pytest
from celery import current_app
from celery.result import AsyncResult
from django_celery_results.models import TaskResult

from backoffice.results.cancel import request_cancel
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.models import Worker as Heartbeat
from records.tasks import add, long_running_task
from tests.probe.models import Probe
from tests.probe.tasks import connections_made, poke
from tests.runs.factories import item, poke_all, probes
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def finished(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_finished


def busy_children() -> list[int]:
    """A child killed before the main process has heard what it took leaves its chunk to the lease."""
    active = current_app.control.inspect(timeout=1).active() or {}
    return [task["worker_pid"] for tasks in active.values() for task in tasks if task["worker_pid"]]


@pytest.mark.spared
def test_a_worker_does_what_any_celery_user_expects(worker):
    (probe,) = probes(1)
    assert add.delay(2, 3).get(timeout=20) == 5
    assert poke.delay(probe.pk).get(timeout=20) == f"Processed instance {probe.pk}"
    assert poke.delay(instance_id=999).get(timeout=20) == "Instance 999 not found."
    assert poke.apply_async(args=[probe.pk], countdown=1).get(timeout=20) == f"Processed instance {probe.pk}"
    assert TaskResult.objects.filter(status="SUCCESS").count() == 4
    current_app.send_task("no.such.task")
    assert add.delay(1, 1).get(timeout=20) == 2  # the worker lives on


def test_a_process_keeps_its_database_connection_from_task_to_task_unless_one_spoilt_it(transactional_db):
    with running_worker("-c", "1"):
        made = [connections_made.delay().get(timeout=20)[1] for _ in range(5)]
        assert made == [made[0]] * 5
        connections_made.delay(leave_inside=True).get(timeout=20, propagate=False)
        assert connections_made.delay().get(timeout=20)[1] == made[0] + 1


def test_a_run_is_worked_off_and_a_failing_record_harms_no_other(worker):
    probes(400)
    (bad,) = probes(1, behaviour="fail")
    run = poke_all()
    wait_until(lambda: finished(run), what="run finished")
    assert (run.state, run.succeeded, run.failed) == (State.FAILURE, 400, 1)
    assert item(run, bad).error.startswith("ValueError")
    assert Probe.objects.filter(effects=1).count() == 400
    assert TaskResult.objects.count() == 401
    assert AsyncResult(run.item_task_id(bad.pk)).state == "FAILURE"


@pytest.mark.parametrize("known", [True, False], ids=["known to be busy", "perhaps before the main process knows"])
@pytest.mark.spared
def test_a_child_killed_in_the_middle_is_noticed_at_once(known):
    probes(6, behaviour="slow")
    with running_worker(TEST_LEASE_SECONDS="600", PROBE_SECONDS="1"):
        run = poke_all()
        claimed = Chunk.objects.filter(claimed_at__isnull=False)
        wait_until(claimed.exists, what="a chunk claimed")
        if known:
            wait_until(busy_children, what="the main process told which child is busy")
        os.kill(claimed.first().child, signal.SIGKILL)
        wait_until(lambda: finished(run), 60, what="run finished long before the lease ran out")
    assert run.succeeded == 6
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}


@pytest.mark.spared
def test_a_record_that_kills_its_worker_fails_after_three_deaths_alone_and_its_neighbours_succeed(worker):
    (killer,) = probes(1, behaviour="die")
    probes(8)
    run = poke_all()
    wait_until(lambda: finished(run), 60, what="run finished")
    assert (run.succeeded, run.failed) == (8, 1)
    assert item(run, killer).error.startswith("worker lost")
    assert item(run, killer).deaths == 3
    assert set(Probe.objects.exclude(pk=killer.pk).values_list("effects", flat=True)) == {1}


@pytest.mark.spared
def test_a_worker_that_stops_hands_back_what_it_holds_and_another_goes_on(worker):
    probes(4, behaviour="slow")
    run = poke_all()
    wait_until(lambda: RunItem.objects.filter(state=State.STARTED).exists(), what="an item started")
    worker.stop()
    assert not Heartbeat.objects.filter(name__contains=f"/{worker.process.pid}/").exists()
    assert not Chunk.objects.filter(claimed_at__isnull=False).exists()
    with running_worker():
        wait_until(lambda: finished(run), what="run finished by another worker")
    assert run.succeeded == 4
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}


@pytest.mark.spared
def test_a_long_task_tells_its_progress_and_stops_when_asked(worker):
    task = long_running_task.delay()
    wait_until(lambda: AsyncResult(task.id).state == "PROGRESS", what="progress told")
    assert TaskResult.objects.get(task_id=task.id).status == "PROGRESS"
    request_cancel(task.id, "somebody")
    assert task.get(timeout=20).startswith("Cancelled after")
