"""FAULTS 6 to 9, 16, 17 and 18: workers that freeze, die, stop, or take too long."""

import os
import random
import signal

import pytest

from backoffice.runs.models import Chunk, Run, RunItem, State
from tests.faults.counts import (
    assert_agreement,
    assert_all_succeeded,
    one_is_started,
    some_are_done,
    the_run,
    wait_finished,
)
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
QUICK_LEASE = {"TEST_LEASE_SECONDS": "6"}


@pytest.mark.spared
def test_a_message_that_dies_with_a_frozen_worker_is_sent_again(stage):
    """The worker waits in BRPOP: Redis hands it the message, and nobody ever sees it again."""
    probes(5)
    web = stage.web()
    for probe in Probe.objects.all():
        frozen = stage.worker()
        wait_until(stage.somebody_waits_in_brpop, what="a BRPOP that waits")
        frozen.freeze()
        web.click(probe.pk)
        lost = stage.waiting() == 0
        frozen.kill()
        if lost:  # else its wait of one second was over just then
            break
    assert lost
    assert not Chunk.objects.exclude(claimed_at=None).exists()
    stage.beat()
    stage.worker()
    for run in Run.objects.all():
        assert_all_succeeded(wait_finished(run), 1)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_chunk_has_the_rest_redone_with_one_effect_each(stage):
    stage.settings |= QUICK_LEASE
    probes(60, behaviour="slow")
    stage.beat()
    worker = stage.worker()
    stage.click()
    wait_until(some_are_done, what="some of a chunk done")
    worker.kill()
    assert RunItem.objects.filter(state=State.STARTED).exists()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 60)
    assert not RunItem.objects.filter(deaths__gt=0).exists()  # none was alone


@pytest.mark.slow
def test_with_the_real_lease_a_killed_worker_holds_nothing_up_for_much_longer(stage):
    probes(20, behaviour="slow")
    stage.beat()
    worker = stage.worker()
    stage.click()
    wait_until(one_is_started, what="an item started")
    worker.kill()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run(), 30 + 15 + 15), 20)


@pytest.mark.slow
def test_children_killed_at_random_moments_cost_no_record_its_success(stage):
    probes(400, behaviour="slow")
    stage.beat()
    worker = stage.worker(PROBE_SECONDS="0.05")
    stage.click()
    for kills in range(1, 8):
        wait_until(lambda kills=kills: some_are_done(kills * 25), 60, what="some more done")
        if children := worker.children():
            os.kill(random.choice(children), signal.SIGKILL)
    assert_all_succeeded(wait_finished(the_run(), 120), 400)


@pytest.mark.slow
def test_a_record_that_kills_the_whole_worker_each_time_fails_and_is_named(stage):
    """As the kernel's out-of-memory killer may: no main process is left to tell."""
    stage.settings |= QUICK_LEASE
    probes(3)
    (killer,) = probes(1, behaviour="slow")
    stage.beat()
    stage.control()
    stage.click()
    for _ in range(3):
        worker = stage.worker("-Q", "records", PROBE_SECONDS="600")
        wait_until(lambda: Chunk.objects.filter(claimed_at__isnull=False, first=killer.pk).exists(), 60)
        wait_until(lambda: Probe.objects.filter(effects=1).count() == 3, 60)
        worker.kill()
        wait_until(lambda: not Chunk.objects.filter(claimed_at__isnull=False).exists(), 60)
    run = wait_finished(the_run(), 10)
    assert (run.succeeded, run.failed) == (3, 1)
    assert RunItem.objects.get(record_id=killer.pk).error.startswith("worker lost: record")
    assert_agreement(run)


@pytest.mark.slow
def test_a_record_that_takes_longer_than_the_visibility_timeout_has_one_effect(stage):
    stage.settings["TEST_VISIBILITY_SECONDS"] = "2"
    probes(1, behaviour="slow")
    worker = stage.worker(PROBE_SECONDS="8")
    stage.click()
    wait_until(lambda: worker.says("is claimed already or done"), what="a second delivery by the transport")
    assert one_is_started()  # the first is still at work
    assert_all_succeeded(wait_finished(the_run()), 1)
    assert RunItem.objects.get().attempts == 1


@pytest.mark.slow
def test_a_worker_asked_to_stop_under_load_leaves_in_time_and_loses_nothing(stage):
    probes(120, behaviour="slow")
    worker = stage.worker(PROBE_SECONDS="0.1")
    stage.click()
    wait_until(some_are_done, what="some done")
    assert worker.stop(40) < 20
    assert not Chunk.objects.filter(claimed_at__isnull=False).exists()
    assert not RunItem.objects.filter(state=State.STARTED).exists()
    stage.worker(PROBE_SECONDS="0")
    assert_all_succeeded(wait_finished(the_run()), 120)
    assert not RunItem.objects.filter(deaths__gt=0).exists()


@pytest.mark.slow
def test_a_worker_asked_to_stop_in_the_middle_of_a_long_record_hands_it_back_within_its_seconds(stage):
    probes(1, behaviour="slow")
    worker = stage.worker(PROBE_SECONDS="600")
    stage.click()
    wait_until(one_is_started, what="the record started")
    assert worker.stop(60) < 20  # the configured 10, and what it takes to leave
    item = RunItem.objects.get()
    assert (item.state, item.deaths) == (State.PENDING, 0)
    stage.worker(PROBE_SECONDS="0")
    assert_all_succeeded(wait_finished(the_run()), 1)


@pytest.mark.slow
def test_a_cancelled_run_stays_cancelled_when_the_workers_come_back(stage):
    stage.settings |= QUICK_LEASE
    probes(200, behaviour="slow")
    web = stage.web()
    beat, worker = stage.beat(), stage.worker(PROBE_SECONDS="0.1")
    assert web.click().status == 302
    wait_until(some_are_done, what="some done")
    run = the_run()
    answer = web.get(web.post(f"/admin/runs/run/{run.pk}/cancel/").location)
    assert "not worked on" in answer.text
    worker.kill()
    beat.kill()
    done = Probe.objects.filter(effects=1).count()
    stage.worker()
    stage.beat()
    wait_finished(run)
    assert (run.state, run.succeeded) == (State.REVOKED, done)
    assert Probe.objects.filter(effects=1).count() == done < 200
    assert_agreement(run)


@pytest.mark.slow
def test_worker_and_web_recover_without_a_beat(stage):
    """The worker sweeps when it starts, and asks for a sweep when none has come for a while."""
    probes(3)
    stage.click("--die-at", "1", dies=True)
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 3)
    assert Run.objects.count() == 1
