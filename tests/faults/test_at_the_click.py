"""FAULTS 1 to 5 and 19: what happens around the moment of the click."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from backoffice.results.models import Activity
from backoffice.runs.models import Chunk, Run, RunItem
from tests.faults.actors import meanwhile
from tests.faults.counts import assert_all_succeeded, the_run, wait_finished
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SAVED = "Redis cannot be reached right now: the run is saved"


@pytest.mark.spared
def test_without_redis_the_click_is_answered_in_a_second_and_runs_once_when_redis_is_back(stage):
    probes(150)
    web = stage.web()
    stage.redis.kill()
    answer = web.click()
    assert answer.status == 302
    assert answer.seconds < 1
    page = web.get(answer.location)
    assert page.seconds < 1
    assert SAVED in page.text
    stage.start_redis()
    stage.beat()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 150)


@pytest.mark.spared
def test_with_redis_frozen_the_click_is_answered_in_five_seconds(stage):
    probes(150)
    web = stage.web()
    web.get("/admin/")  # has connections that were good a moment ago
    stage.redis.freeze()
    with meanwhile(stage.redis.thaw):
        answer = web.click()
        page = web.get(answer.location)
    assert answer.seconds < 5
    assert page.seconds < 2
    assert SAVED in page.text
    stage.beat()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 150)


@pytest.mark.spared
def test_messages_that_redis_took_without_an_answer_and_then_again_are_worked_on_once(stage):
    """The client gave up waiting, so the sweep sends them again: the same chunk twice, one behind the other."""
    first, *others = probes(3, behaviour="slow")
    web = stage.web()
    web.click(first.pk)  # its connection is in the pool
    stage.redis.freeze()
    with meanwhile(stage.redis.thaw):
        web.click(*[probe.pk for probe in others])
    wait_until(lambda: stage.waiting() == 2, what="the message whose answer came too late")
    assert Chunk.objects.filter(published_at=None).count() == 2
    stage.beat()
    control = stage.control()
    wait_until(lambda: stage.waiting() > Chunk.objects.count(), what="all of them sent again")
    worker = stage.worker("-Q", "records", PROBE_SECONDS="1")
    run = wait_finished(the_run(newest=True))
    wait_until(lambda: worker.says("is claimed already or done"), what="the second of the two")
    assert_all_succeeded(run, 2)
    assert set(RunItem.objects.values_list("attempts", flat=True)) == {1}
    assert control.process.poll() is None


@pytest.mark.spared
def test_redis_frozen_after_a_click_that_went_well_does_not_hold_the_next_one_up(stage):
    """The connection is in the pool, and its other end is silent."""
    first, other = probes(2)
    web = stage.web()
    web.click(first.pk)
    stage.redis.freeze()
    with meanwhile(stage.redis.thaw):
        assert web.click(other.pk).seconds < 5
    assert Run.objects.count() == 2


def test_a_web_process_killed_before_the_commit_leaves_no_trace(stage):
    probes(3)
    web = stage.web("tests.faults.dying:application", DIE_AT="commit")
    with pytest.raises((HTTPException, OSError)):
        web.click()
    web.kill()
    assert [model.objects.count() for model in (Run, RunItem, Chunk)] == [0, 0, 0]
    assert not Activity.objects.filter(verb__startswith="run.").exists()
    assert stage.waiting() == 0


@pytest.mark.spared
def test_a_web_process_killed_after_the_commit_has_its_run_done_all_the_same(stage):
    probes(150)
    web = stage.web("tests.faults.dying:application", DIE_AT="publish")
    with pytest.raises((HTTPException, OSError)):
        web.click()
    web.kill()
    assert stage.waiting() == 0
    stage.beat()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 150)


@pytest.mark.spared
def test_a_dispatcher_killed_half_way_through_publishing_leaves_nothing_out(stage):
    probes(150)
    stage.click("--die-at", "3", dies=True)
    assert stage.waiting() == 2
    assert Chunk.objects.count() == 4
    stage.beat()
    stage.worker()
    assert_all_succeeded(wait_finished(the_run()), 150)


def test_a_double_click_makes_one_run_also_when_both_arrive_at_once(stage):
    picked = [probe.pk for probe in probes(20)]
    web = stage.web()
    for attempt in range(5):
        Run.objects.all().delete()
        RunItem.objects.all().delete()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: web.click(*picked, form_token=f"t{attempt}"), range(4)))  # noqa: B023
        assert {answer.status for answer in answers} == {302}
        assert len({answer.location for answer in answers}) == 1
        assert Run.objects.count() == 1
    assert web.click(*picked, form_token="t4").location == answers[0].location  # replayed later
    assert Run.objects.count() == 1
