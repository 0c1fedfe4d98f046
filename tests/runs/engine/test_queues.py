"""Three queues: a long task keeps no run waiting, and neither of them the sweep."""

from datetime import timedelta

import pytest
from celery import current_app
from celery.app.routes import Router, prepare
from django.utils import timezone

from backoffice.management import programs
from backoffice.runs import sweep
from backoffice.runs.engine import broker
from backoffice.runs.models import Chunk
from records.tasks import add, long_running_task
from tests.probe.tasks import poke, poke_briefly
from tests.runs.factories import poke_all, probes
from tests.runs.worker.test_worker import finished
from tests.servers import wait_until
from tests.workers import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> dict[str, int]:
    channel = current_app.connection_for_read().default_channel
    return {queue: channel._size(queue) for queue in ("records", "control", "tasks")}


@pytest.fixture
def heavy(monkeypatch):
    """A team's route of its own for one record task. Gives the number of messages there."""
    router = Router(prepare({"tests.probe.tasks.poke": {"queue": "heavy"}}), current_app.amqp.queues, app=current_app)
    monkeypatch.setitem(current_app.amqp.__dict__, "router", router)
    return lambda: current_app.connection_for_read().default_channel._size("heavy")


def test_chunks_the_sweep_and_plain_calls_go_to_queues_of_their_own():
    probes(3)
    poke_all()
    broker.sweep_soon()
    add.delay(2, 3)
    poke.delay(1)
    current_app.send_task("backoffice.celery.debug_task")
    assert waiting() == {"records": Chunk.objects.count(), "control": 1, "tasks": 3}


def test_chunks_follow_a_route_of_a_teams_own_and_the_sweep_looks_there(heavy):
    probes(3)
    poke_all()
    assert (waiting()["records"], heavy()) == (0, Chunk.objects.count())
    assert broker.queue_length() == heavy()
    Chunk.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()
    assert heavy() == Chunk.objects.count()  # all of them wait there: none is lost


@pytest.mark.parametrize("priority", range(10))
def test_the_sweep_counts_messages_of_every_priority(priority):
    current_app.send_task("no.such.task", queue="records", priority=priority)
    assert broker.queue_length() == 1


def test_a_queue_that_a_record_task_declares_carries_its_chunks(monkeypatch):
    monkeypatch.setattr(poke_briefly, "queue", "tasks", raising=False)
    assert (broker.queue_of(poke), broker.queue_of(poke_briefly)) == ("records", "tasks")


def test_the_workers_of_up_serve_each_queue_once():
    lines = [program.command for program in programs.workers(4)]
    served = {line[line.index("-Q") + 1]: line[line.index("-c") + 1] for line in lines}
    assert served == {"records": "4", "tasks": "1", "control": "1"}


def test_the_plain_worker_serves_all_three(worker):
    probes(3)
    run = poke_all()
    assert add.delay(2, 3).get(timeout=20) == 5
    wait_until(lambda: finished(run), what="run finished")
    broker.sweep_soon()
    wait_until(lambda: not any(waiting().values()), what="all queues empty")


@pytest.mark.processes
def test_a_long_task_keeps_no_run_waiting(transactional_db):
    probes(3)
    on = {queue: ("-Q", queue, "-n", f"{queue}@%h", "-c", "1") for queue in ("tasks", "records")}
    with running_worker(*on["tasks"]) as busy, running_worker(*on["records"]):
        for _ in range(3):
            long_running_task.delay(steps=100_000)
        run = poke_all()
        wait_until(lambda: finished(run), 10, what="run finished beside them")
        busy.kill()  # it would hand its task back, which takes ten seconds


@pytest.mark.processes
def test_what_waits_in_records_from_before_there_were_three_is_still_done(transactional_db):
    early = add.apply_async((2, 3), queue="records")
    with running_worker("-Q", "records"):
        assert early.get(timeout=20) == 5
