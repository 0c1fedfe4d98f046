"""Three queues: a long task keeps no run waiting, and neither of them the sweep."""

from datetime import timedelta

import pytest
from celery import current_app
from celery.app.routes import Router, prepare
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone
from kombu import Queue

from backoffice.desk.health import health
from backoffice.management import programs
from backoffice.management.commands import process
from backoffice.runs import operations, sweep
from backoffice.runs.engine import broker, heartbeats
from backoffice.runs.models import Chunk, Run
from backoffice.runs.seam import start
from records.tasks import add, long_running_task
from tests.desk import factories
from tests.probe.models import Probe
from tests.probe.tasks import poke, poke_briefly
from tests.runs.clicks import page
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


@pytest.mark.spared
def test_the_plain_worker_serves_all_three(worker):
    probes(3)
    run = poke_all()
    assert add.delay(2, 3).get(timeout=20) == 5
    wait_until(lambda: finished(run), what="run finished")
    broker.sweep_soon()
    wait_until(lambda: not any(waiting().values()), what="all queues empty")


@pytest.mark.spared
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


# --- queues of a team's own


@pytest.fixture
def own(settings):
    settings.CELERY_TASK_QUEUES = [*settings.CELERY_TASK_QUEUES, Queue("heavy")]


@pytest.fixture
def placed(heavy):
    """A run whose records wait in the queue "heavy"."""
    probes(3)
    return a_while_ago(poke_all())


def a_while_ago(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(activated_at=timezone.now() - timedelta(seconds=5))
    return run


def told(client, run) -> str:
    """What the page says of its queue, and the poll the same."""
    polled = client.get(page(run, "progress")).json()["waits"]
    assert (polled in client.get(page(run)).text) if polled else b"hidden" in client.get(page(run)).content
    return polled


def test_up_starts_a_worker_for_each_queue_of_a_teams_own(own):
    (line,) = (program.command for program in programs.workers(4) if program.name == "heavy")
    assert (line[line.index("-Q") + 1], line[line.index("-c") + 1]) == ("heavy", "1")


def test_nothing_is_said_of_a_run_that_has_only_begun(heavy, admin_client):
    probes(1)
    assert told(admin_client, poke_all()) == ""


def test_the_page_says_that_nobody_reads_the_queue_and_what_to_do(placed, admin_client):
    factories.worker("records, control, tasks, heavy-too")
    assert told(admin_client, placed) == (
        "No worker reads the queue “heavy”, where these records wait. Start one: "
        "celery -A backoffice worker -l info -Q heavy -n heavy@%h --concurrency 1"
    )
    factories.worker("heavy", name="heavy@one/8/abcd")
    assert told(admin_client, placed) == ""


def test_nothing_is_said_of_a_run_that_has_ended_or_waits_for_its_time(placed, admin_client):
    later = timezone.now() + timedelta(hours=1)
    probes(1)
    planned = start(Probe.objects.all(), "poke", due_at=later)
    operations.cancel(placed, by="somebody")
    assert told(admin_client, planned) == told(admin_client, placed) == ""


def test_a_worker_of_a_queue_whose_name_begins_alike_is_none_for_records(db):
    factories.worker("records-slow", concurrency=9)
    assert heartbeats.serving("records") == []


def test_the_health_names_it_and_how_to_start_one(own):
    factories.worker("records, control, tasks")
    check = next(check for check in health.checks() if check.name == "Workers")
    assert (check.ok, check.summary) == (False, "No worker serves the queue “heavy”.")
    assert "-Q heavy -n heavy@%h" in check.advice


def test_the_command_that_waits_says_it(heavy, capsys, monkeypatch):
    probes(1)
    monkeypatch.setattr(process.Command, "follow", lambda self, run: None)
    call_command("process", "probe.Probe", "--task", "poke", "--wait")
    assert "No worker reads the queue “heavy”" in capsys.readouterr().err


def test_a_task_for_a_queue_that_has_no_worker_is_a_checks_error(settings, monkeypatch):
    def found() -> list[str]:
        return [f"{message.msg} {message.hint}" for message in run_checks(tags=["runs"]) if message.id == "runs.E016"]

    assert found() == []
    monkeypatch.setattr(poke_briefly, "queue", "haevy", raising=False)
    monkeypatch.setattr(add, "queue", "taks", raising=False)
    assert [message.partition(" which")[0] for message in found()] == [
        "records.tasks.add goes to the queue 'taks',",
        "tests.probe.tasks.poke_briefly goes to the queue 'haevy',",
    ]
    assert "Name it in QUEUES of the settings" in found()[0]
    settings.CELERY_TASK_QUEUES = [*settings.CELERY_TASK_QUEUES, Queue("haevy"), Queue("taks")]
    assert found() == []


def test_so_is_a_route_to_one(heavy):
    messages = [message.msg for message in run_checks(tags=["runs"]) if message.id == "runs.E016"]
    assert messages == ["tests.probe.tasks.poke goes to the queue 'heavy', which no worker serves."]


@pytest.mark.spared
@pytest.mark.processes
def test_a_worker_for_the_queue_ends_the_waiting(heavy, transactional_db, admin_client):
    probes(3)
    run = a_while_ago(poke_all())
    with running_worker("-Q", "records", "-n", "records@%h", "-c", "1"):
        assert "“heavy”" in told(admin_client, run)
        with running_worker("-Q", "heavy", "-n", "heavy@%h", "-c", "1"):
            wait_until(lambda: finished(run), what="run finished")
    assert told(admin_client, run) == ""


@pytest.mark.long
@pytest.mark.spared
@pytest.mark.processes
def test_what_waits_in_records_from_before_there_were_three_is_still_done(transactional_db):
    early = add.apply_async((2, 3), queue="records")
    with running_worker("-Q", "records"):
        assert early.get(timeout=20) == 5
