"""A chunk moves on along its run: one message, slice after slice, each claimed where the last one is written."""

import signal

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.runs import operations
from backoffice.runs.engine import chunks, give_back, ledger, slicing
from backoffice.runs.models import Chunk, RunItem, State
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 5


@pytest.fixture
def begun(monkeypatch):
    """A run of 40 records, four chunks of five of them cut; the first chunk."""
    monkeypatch.setattr(find("poke"), "chunk_size", SIZE)
    monkeypatch.setattr(slicing, "BUSY", 0)  # else such quick records make bigger chunks of a short run
    probes(40)
    run = poke_all()
    assert (run.chunks.count(), run.sliced) == (4, False)
    return run.chunks.order_by("pk").first()


def done(run):
    return RunItem.objects.of(run).filter(state=State.SUCCESS).count()


def test_one_message_carries_the_run_to_its_end(begun, monkeypatch):
    monkeypatch.setattr(chunks, "STINT", 60)
    chunks.work(find("poke"), begun.pk)
    run = begun.run
    run.refresh_from_db()
    assert run.chunks.count() == 3  # those cut before, with messages of their own
    assert run.chunks.unclaimed().count() == 3
    assert (done(run), run.succeeded, run.sliced) == (25, 25, True)
    assert work_off(run).state == State.SUCCESS
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}
    assert set(RunItem.objects.values_list("attempts", flat=True)) == {1}


def test_a_message_that_had_its_time_begets_a_chunk_for_the_others_to_see(begun, monkeypatch):
    monkeypatch.setattr(chunks, "STINT", -1)
    chunks.work(find("poke"), begun.pk)
    assert (done(begun.run), begun.run.chunks.unclaimed().count()) == (SIZE, 4)
    assert not Chunk.objects.filter(pk=begun.pk).exists()


def test_the_worker_dies_in_a_later_slice(begun, monkeypatch):
    """What earlier slices did is done, once; the slice in hand comes back one by one, the death charged to nobody."""
    original, seen = Probe.process, []

    def dies(self):
        seen.append(self.pk)
        if len(seen) == 3 * SIZE + 2:
            raise SystemExit  # as a kill: nothing of chunks.work goes on
        return original(self)

    monkeypatch.setattr(chunks, "STINT", 60)
    monkeypatch.setattr(Probe, "process", dies)
    with pytest.raises(SystemExit):
        chunks.work(find("poke"), begun.pk)
    run = begun.run
    assert done(run) == 3 * SIZE
    held = RunItem.objects.of(run).filter(chunk_id=begun.pk, state=State.STARTED)
    moved = Chunk.objects.get(pk=begun.pk)
    assert (held.count(), moved.size, moved.first > begun.last) == (SIZE, SIZE, True)
    chunks.work(find("poke"), begun.pk)  # its message comes again before it is freed
    assert done(run) == 3 * SIZE
    give_back.lost(begun.pk)
    assert work_off(run).state == State.SUCCESS
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}
    assert set(RunItem.objects.values_list("deaths", flat=True)) == {0}


def test_a_holder_taken_for_dead_in_a_later_slice_writes_nothing_of_it(begun, monkeypatch):
    original, seen = Probe.process, []

    def slow(self):
        seen.append(self.pk)
        if len(seen) == SIZE + 1:
            give_back.lost(begun.pk)
        return original(self)

    monkeypatch.setattr(chunks, "STINT", 60)
    monkeypatch.setattr(Probe, "process", slow)
    chunks.work(find("poke"), begun.pk)
    assert done(begun.run) == SIZE
    assert work_off(begun.run).state == State.SUCCESS
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}


def test_a_cancelled_run_is_not_moved_on_in(begun, monkeypatch):
    original, seen = Probe.process, []

    def cancels(self):
        seen.append(self.pk)
        if len(seen) == SIZE:
            operations.cancel(begun.run, "somebody")
        return original(self)

    monkeypatch.setattr(chunks, "STINT", 60)
    monkeypatch.setattr(Probe, "process", cancels)
    chunks.work(find("poke"), begun.pk)
    assert len(seen) <= SIZE
    run = work_off(begun.run)
    assert (run.state, run.succeeded + run.revoked) == (State.REVOKED, 40)


def test_a_slice_in_which_a_record_was_edited_is_ended_before_the_next(begun, monkeypatch):
    original, edited = Probe.process, []

    def edits(self):
        if not edited:
            edited.append(self.pk)
            Probe.objects.filter(pk=self.pk).update(text="by hand")
        return original(self)

    monkeypatch.setattr(chunks, "STINT", 60)
    monkeypatch.setattr(Probe, "process", edits)
    chunks.work(find("poke"), begun.pk)
    assert Probe.objects.get(pk=edited[0]).result == "BY HAND"
    assert work_off(begun.run).state == State.SUCCESS


def test_after_a_refused_write_nothing_more_is_claimed(begun, monkeypatch):
    """Nobody would work on it: it would wait for the lease to run out."""
    monkeypatch.setattr(chunks, "STINT", 60)
    run = begun.run
    Chunk.objects.all().delete()
    Probe.objects.filter(pk=begun.first).update(behaviour="unwritable")
    alone = slicing.singles(run, [begun.first])[0]
    chunks.work(find("poke"), alone.pk)
    assert RunItem.objects.of(run).filter(state=State.FAILURE).count() == 1
    assert not RunItem.objects.filter(state=State.STARTED).exists()
    assert not Chunk.objects.exclude(claimed_at=None).exists()


@pytest.fixture
def soft_limit():
    """What billiard does in a child: the soft time limit comes as a signal."""

    def limit(*_args):
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, limit)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_the_soft_limit_between_two_slices_charges_nobody(begun, monkeypatch, soft_limit):
    """It falls while Redis is told of the last slice; the next, of one record, is claimed and not begun."""
    monkeypatch.setattr(chunks, "STINT", 60)
    monkeypatch.setattr(ledger, "tell_redis", lambda *_args: signal.raise_signal(signal.SIGUSR1))
    monkeypatch.setattr(find("poke"), "chunk_size", 1)
    chunks.work(find("poke"), begun.pk)
    assert done(begun.run) == SIZE
    assert not RunItem.objects.filter(state=State.STARTED).exists()
    assert set(RunItem.objects.values_list("deaths", flat=True)) == {0}


def test_a_slice_costs_the_same_queries_whatever_its_size_and_no_message(begun, monkeypatch):
    monkeypatch.setattr(chunks, "STINT", 60)
    costs = []
    for size in (SIZE, 4 * SIZE):
        monkeypatch.setattr(find("poke"), "chunk_size", size)
        probes(9 * size)
        work_off(begun.run)
        run = start(Probe.objects.filter(processed=False), "poke")
        slices = (run.total - 4 * size) // size
        with CaptureQueriesContext(connection) as queries:
            chunks.work(find("poke"), run.chunks.order_by("pk").first().pk)
        assert done(run) == (1 + slices) * size
        costs.append(len(queries) / (1 + slices))
        work_off(run)
    assert costs[0] == pytest.approx(costs[1], abs=1)
    assert max(costs) <= 19
