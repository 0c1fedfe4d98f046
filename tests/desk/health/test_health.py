"""Health in words: what is wrong is said, and what to do about it."""

import io
import json
import socket
import time
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.core.management import call_command
from django.utils import timezone

from backoffice import queues
from backoffice.desk.health import health, redis_probe, thorough
from backoffice.results import spool
from backoffice.runs.engine import heartbeats
from backoffice.runs.models import Chunk, Worker
from tests import servers
from tests.desk import factories

pytestmark = pytest.mark.django_db


def by_name(checks: list[health.Check]) -> dict[str, health.Check]:
    return {check.name: check for check in checks}


def all_alive() -> None:
    call_command("setup_backoffice", stdout=io.StringIO())
    factories.worker()
    factories.beat()


def test_all_is_well_when_redis_answers_and_workers_and_beat_report():
    all_alive()
    assert [check.name for check in health.checks() if not check.ok] == []


def test_a_worker_that_has_not_reported_for_half_a_minute_is_gone():
    factories.worker(seconds_ago=31)
    check = by_name(health.checks())["Workers"]
    assert not check.ok
    assert "celery -A backoffice worker" in check.advice


def test_queues_that_nobody_serves_are_named_with_how_to_serve_them():
    factories.worker("records")
    check = by_name(health.checks())["Workers"]
    assert (check.ok, check.summary) == (False, "No worker serves the queues “control”, “tasks”.")
    assert check.advice.endswith("-Q control,tasks -n control@%h --concurrency 1")


def test_processes_are_counted_for_each_queue():
    factories.worker("records, control, tasks", concurrency=2)
    factories.worker("control", concurrency=1)
    summary = "records: 2 processes; control: 3 processes; tasks: 2 processes."
    assert by_name(health.checks())["Workers"].summary == summary


def a_sweep(seconds_ago: int) -> None:
    heartbeats.report_sweep()
    Worker.objects.filter(name=heartbeats.SWEEP).update(seen_at=timezone.now() - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    ("seconds_ago", "ok", "summary"),
    [(1, True, "second"), (50, True, "50 seconds"), (70, False, "70 seconds"), (600, False, "10 minutes")],
)
def test_the_age_of_the_last_sweep_is_told(seconds_ago: int, ok: bool, summary: str):
    all_alive()
    a_sweep(seconds_ago)
    check = by_name(health.checks())["Sweep"]
    assert check.ok == ok
    assert summary in check.summary
    assert ("control" in check.advice) != ok


def test_a_sweep_that_never_came_is_reported_once_it_should_have():
    all_alive()
    assert by_name(health.checks())["Sweep"].ok
    Worker.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    assert not by_name(health.checks())["Sweep"].ok


def test_a_beat_that_is_silent_is_reported():
    factories.beat(seconds_ago=60)
    check = by_name(health.checks())["Beat"]
    assert not check.ok
    assert "celery -A backoffice beat" in check.advice


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(4, ""), (-4, ""), (45, "celery@one, process 7 is 45 s ahead of the database."),
     (-60, "celery@one, process 7 is 60 s behind the database.")],
)  # fmt: skip
def test_a_clock_that_is_wrong_is_reported_with_its_worker(ahead, told):
    now = timezone.now()
    all_alive()
    factories.worker(name="celery@one/7/abcd", seen_at=now, clock=now + timedelta(seconds=ahead))
    check = by_name(health.checks())["Clocks"]
    assert (check.ok, check.summary) == (not told, told or "Workers and beat agree with the database within 5 seconds.")


def test_a_queue_that_grows_is_reported_with_its_length(settings):
    all_alive()
    redis.Redis.from_url(settings.CELERY_BROKER_URL).lpush("control", *range(60))
    check = by_name(health.checks())["Queues"]
    assert not check.ok
    assert "control: 60 waiting" in check.summary


@pytest.mark.parametrize("priority", range(10))
def test_messages_of_every_priority_are_counted(settings, priority):
    all_alive()
    for _ in range(60):
        current_app.send_task("no.such.task", queue="control", priority=priority)
    check = by_name(health.checks())["Queues"]
    assert (check.ok, check.summary) == (False, "records: 0 waiting; control: 60 waiting; tasks: 0 waiting.")


def test_a_queue_that_nobody_reads_is_named_on_the_desk_and_by_doctor(settings, capsys):
    all_alive()
    current_app.send_task("no.such.task", queue="taks")
    current_app.send_task("no.such.task", queue="taks", priority=9)
    current_app.send_task("no.such.task", queue="urgent", priority=9)
    factories.worker("urgent", name="celery@urgent/8/abcd")
    check = by_name(health.checks())["Queues"]
    assert not check.ok
    assert check.summary.endswith("tasks: 0 waiting; taks: 2 waiting; urgent: 1 waiting; nobody reads “taks”.")
    assert check.advice.endswith("or start a worker for “taks”: " + queues.START_ANOTHER % ("taks", "taks"))
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "nobody reads “taks”" in capsys.readouterr().out


def test_outcomes_that_were_set_aside_are_counted_alike_on_the_desk_and_by_doctor(admin_client, capsys):
    all_alive()
    waits = current_app.backend.client
    waits.zadd(spool.KEY, {"{": 1, "null": 2, '{"task_id": 5}': 3})
    assert by_name(health.checks())["Set aside"].ok
    spool.deliver()
    redis_probe.forget()
    check = by_name(health.checks())["Set aside"]
    assert not check.ok
    assert "refuses 3 outcomes" in check.summary
    assert f"under “{spool.ASIDE}”" in check.summary
    page = admin_client.get("/admin/").text
    assert "refuses 3 outcomes" in page
    assert "Run: manage.py doctor --repair." in page
    with pytest.raises(SystemExit):
        call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert "3 outcomes set aside" in json.dumps(told)
    call_command("doctor", "--repair")
    redis_probe.forget()
    assert by_name(health.checks())["Set aside"].ok


@pytest.mark.spared
def test_many_keys_and_queues_that_are_not_ours_cost_no_time(own_redis):
    all_alive()
    with own_redis.pipeline(transaction=False) as pipeline:
        for at in range(200_000):
            pipeline.lpush(f"queue-{at}", "a message")
        pipeline.execute()
    redis_probe.forget()
    started = time.monotonic()
    check = by_name(health.checks())["Queues"]
    assert time.monotonic() - started < 1
    assert not check.ok
    assert check.summary.count("queue-") <= 2 * redis_probe.OTHERS


def test_a_redis_that_accepts_and_never_answers_costs_less_than_a_second(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        settings.CELERY_BROKER_URL, settings.CELERY_RESULT_BACKEND = f"{url}/0", f"{url}/1"
        started = time.monotonic()
        checks = by_name(health.checks())
        assert time.monotonic() - started < 1
        assert "does not answer" in checks["Broker"].summary
        assert not checks["Result backend"].ok


@pytest.fixture
def own_redis(settings, tmp_path):
    """A Redis that a test may damage: the session's is everybody's."""
    with servers.redis_server(tmp_path / "redis") as url:
        settings.CELERY_BROKER_URL, settings.CELERY_RESULT_BACKEND = f"{url}/0", f"{url}/1"
        redis_probe.forget()
        yield redis.Redis.from_url(url, protocol=2)
    redis_probe.forget()


def test_a_redis_that_is_full_is_named_with_what_to_do_and_its_queues_are_still_told(own_redis, capsys):
    all_alive()
    own_redis.lpush("records", "a message")
    assert by_name(health.checks())["Broker"].ok
    own_redis.config_set("maxmemory", "1")
    redis_probe.forget()
    checks = by_name(health.checks())
    for name in ("Broker", "Result backend"):
        assert not checks[name].ok
        assert "full and takes nothing new" in checks[name].summary
        assert "Raise its maxmemory" in checks[name].advice
    assert checks["Queues"].summary == "records: 1 waiting; control: 0 waiting; tasks: 0 waiting."
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "full and takes nothing new" in capsys.readouterr().out


def test_a_redis_that_follows_another_takes_no_writes_and_is_no_broker(own_redis):
    own_redis.replicaof("127.0.0.1", "1")
    assert "only follows another Redis" in by_name(health.checks())["Broker"].summary


def test_a_redis_that_cannot_save_is_named(own_redis, tmp_path):
    dump = own_redis.config_get("dbfilename")["dbfilename"]
    (tmp_path / "redis" / dump / "in the way").mkdir(parents=True)
    own_redis.config_set("stop-writes-on-bgsave-error", "yes")
    own_redis.bgsave()
    servers.wait_until(lambda: own_redis.info("persistence")["rdb_last_bgsave_status"] == "err")
    assert "cannot save to its disk" in by_name(health.checks())["Result backend"].summary
    own_redis.config_set("save", "")  # else it does not leave when asked: it would lose what it cannot save


def test_a_user_of_redis_who_may_write_the_queues_only_is_no_fault(own_redis, settings):
    own_redis.acl_setuser("narrow", enabled=True, passwords=["+x"], keys=list(queues.declared()), categories=["+@all"])
    at = own_redis.connection_pool.connection_kwargs["port"]
    settings.CELERY_BROKER_URL = f"redis://narrow:x@127.0.0.1:{at}/0"
    assert by_name(health.checks())["Broker"].ok


def test_the_question_leaves_nothing_behind(own_redis):
    assert health.checks()
    assert own_redis.dbsize() == 0


def test_the_desk_says_that_redis_is_full(own_redis, admin_client):
    all_alive()
    assert "all well" in admin_client.get("/admin/").content.decode()
    own_redis.config_set("maxmemory", "1")
    redis_probe.forget()
    page = admin_client.get("/admin/").content.decode()
    assert "needs attention" in page
    assert "full and takes nothing new" in page


def test_redis_is_asked_once_in_two_seconds(settings):
    first = redis_probe.probe()
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert redis_probe.probe() is first
    redis_probe.forget()
    assert not redis_probe.probe().broker.ok


def test_a_chunk_that_nobody_takes_is_reported_by_the_thorough_check():
    old = timezone.now() - thorough.STUCK * 2
    Chunk.objects.create(run=factories.run(), first=1, last=2, size=2, created_at=old)
    assert not by_name(thorough.thorough_checks())["Oldest work"].ok


def test_a_lease_that_nobody_released_is_reported_by_the_thorough_check():
    old = timezone.now() - thorough.STUCK * 2
    Chunk.objects.create(run=factories.run(), first=1, last=2, size=2, claimed_at=old, lease_until=old)
    assert not by_name(thorough.thorough_checks())["Leases"].ok


def test_doctor_exits_0_when_all_is_well_and_prints_a_table(capsys):
    all_alive()
    call_command("doctor")
    assert "ok     Broker" in capsys.readouterr().out


def test_doctor_exits_1_and_says_what_to_do_when_something_is_wrong(capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    assert ended.value.code == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert "-> Start it: celery -A backoffice beat" in out


def test_doctor_prints_one_json_object_when_asked(capsys):
    all_alive()
    call_command("doctor", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {check["name"] for check in told["checks"]} >= {
        "Broker",
        "Workers",
        "Beat",
        "Queues",
        "Oldest work",
        "Leases",
    }
