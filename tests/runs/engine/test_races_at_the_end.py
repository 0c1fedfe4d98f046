"""A run that is cancelled, or ends, beside whoever makes chunks of it: no message is left that is sent for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.runs import operations, sweep
from backoffice.runs.engine import chunks, claims, give_back, slicing
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.registry import find
from backoffice.testing import work_off
from tests.runs.factories import poke_all, probes
from tests.runs.races import begun, beside, held, wait_until_locked

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_to_retry():
    probes(2, behaviour="flaky")
    run = work_off(poke_all())
    RunItem.objects.of(run).update(due_at=timezone.now() - timedelta(hours=1))
    return run, sweep.requeue_due_retries


def in_hand(how):
    probes(2)
    run = poke_all()
    claimed = [claims.claim(chunk.pk)[0] for chunk in run.chunks.order_by("pk")]
    if how == "lost":
        return run, lambda: [give_back.lost(chunk.pk) for chunk in claimed]
    return run, lambda: [give_back.unworked(chunk, 1) for chunk in claimed]


MAKE_CHUNKS = {
    "retries released": waiting_to_retry,
    "given back": lambda: in_hand("back"),
    "lost": lambda: in_hand("lost"),
}


@pytest.fixture(params=MAKE_CHUNKS)
def made_chunks(request):
    """A run, and a step of another process after which more of its chunks wait."""
    return MAKE_CHUNKS[request.param]()


def assert_it_ends(run):
    sweep.sweep()
    run.refresh_from_db()
    assert (run.state, run.revoked, run.is_finished) == (State.REVOKED, 2, True)
    assert not run.chunks.exists()
    assert not RunItem.objects.of(run).open().exists()


def test_a_cancel_while_chunks_are_being_made_leaves_none(made_chunks):
    run, step = made_chunks
    with (
        held(step, slicing, "chunks_of", after=True) as making,
        begun(lambda: operations.cancel(run, "somebody")) as cancel,
    ):
        wait_until_locked(cancel)
        making.finish()
    assert_it_ends(run)


def test_chunks_made_in_the_middle_of_a_cancel_do_not_outlive_the_run(made_chunks, is_sqlite):
    run, step = made_chunks
    Run.objects.update(cancelled_at=timezone.now())
    with held(lambda: operations.revoke(run), RunItem.objects, "of") as revoke:  # it has deleted the chunks there were
        if is_sqlite:
            revoke.finish()
        beside(step)
    assert_it_ends(run)


def test_a_message_of_a_run_that_ended_is_not_sent_again_whoever_left_it():
    probes(1)
    run = work_off(poke_all())
    left = slicing.singles(run, [RunItem.objects.get().record_id])
    Chunk.objects.update(published_at=None)
    assert sweep.republish_unclaimed() == 0
    assert not Chunk.objects.filter(pk=left[0].pk).exists()


def test_with_a_run_its_chunks_end():
    """A duplicate claim of nothing, say: whoever holds it finds it gone, and writes nothing."""
    (probe,) = probes(1)
    run = poke_all()
    slicing.singles(run, [probe.pk])
    chunks.work(find("poke"), run.chunks.earliest("pk").pk)
    run.refresh_from_db()
    assert run.is_finished
    assert not run.chunks.exists()
