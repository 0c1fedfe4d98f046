"""FAULTS 11 to 13: Redis forgets, restarts, drops its clients, or is full.

What a worker lost and does again is claimed on both databases (the first, and results/test_storm.py, whose storm
restarts Redis too); how it comes back to Redis is the same beside either.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.runs.models import Run, Worker
from tests.faults.counts import assert_all_succeeded, some_are_done, the_run, wait_finished
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def done() -> int:
    return Run.objects.get().done


def goes_on(seconds: float = 30) -> None:
    """More is done than at this moment, in time."""
    before = done()
    wait_until(lambda: done() > before, seconds, what=f"more than {before} done")


def heartbeats_go_on() -> bool:
    return not Worker.objects.filter(kind="worker", seen_at__lt=timezone.now() - timedelta(seconds=12)).exists()


@pytest.mark.slow
def test_a_run_completes_though_redis_forgets_everything_in_the_middle(stage):
    probes(300, behaviour="slow")
    stage.beat()
    stage.worker(PROBE_SECONDS="0.02")
    stage.click()
    wait_until(lambda: some_are_done(20), what="some done")
    stage.client.flushall()
    assert_all_succeeded(wait_finished(the_run()), 300)


@pytest.mark.once
@pytest.mark.slow
def test_work_resumes_within_half_a_minute_of_each_of_ten_restarts_of_redis(stage):
    probes(4000, behaviour="slow")
    stage.beat()
    stage.worker(PROBE_SECONDS="0.05")
    stage.click()
    wait_until(some_are_done, what="some done")
    for number in range(10):
        if number % 2:
            stage.redis.kill()
        else:
            stage.redis.stop()
        stage.start_redis()
        goes_on(30)
    wait_until(heartbeats_go_on, 40, what="heartbeats after the last restart")
    Probe.objects.update(behaviour="fine")  # the point is made
    assert_all_succeeded(wait_finished(the_run(), 120), 4000)
    assert not TaskResult.objects.filter(task_name="tests.probe.tasks.poke", status="FAILURE").exists()


@pytest.mark.once
@pytest.mark.slow
def test_work_goes_on_while_every_client_of_redis_is_dropped_fifty_times(stage):
    probes(4000, behaviour="slow")
    stage.beat()
    stage.worker(PROBE_SECONDS="0.05")
    stage.click()
    wait_until(some_are_done, what="some done")
    for number in range(50):
        for client in stage.client.client_list():
            stage.client.client_kill_filter(_id=client["id"])
        if number % 10 == 9:
            goes_on(30)
    Probe.objects.update(behaviour="fine")
    assert_all_succeeded(wait_finished(the_run(), 120), 4000)


@pytest.mark.once
@pytest.mark.slow
def test_with_redis_full_items_wait_and_staff_are_told_and_it_recovers(stage):
    first, *_others = probes(150)
    web = stage.web()
    worker = stage.worker()
    stage.beat()
    worker.freeze()
    web.click(first.pk)  # a message that is taken while Redis takes none
    stage.client.config_set("maxmemory", "1")
    worker.thaw()
    answer = web.click()
    assert answer.seconds < 5
    assert "the run is saved" in web.get(answer.location).text
    assert "full and takes nothing new" in web.get("/admin/").text
    wait_until(lambda: "OutOfMemoryError" in worker.lines, what="the worker met it")
    assert Probe.objects.filter(effects=0).exists()
    stage.client.config_set("maxmemory", "0")
    for run in Run.objects.all():
        assert_all_succeeded(wait_finished(run), run.total)
    assert Probe.objects.filter(effects=1).count() == 150
    wait_until(lambda: "full and takes nothing new" not in web.get("/admin/").text, what="the admin says it is well")
