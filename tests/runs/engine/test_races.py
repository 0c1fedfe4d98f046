"""What two processes do to each other, held where it hurts."""

import pytest
from django.utils import timezone

from backoffice.runs import operations
from backoffice.runs.engine import chunks, claims, slicing
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.registry import find
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.runs.races import at_once, beside, held

pytestmark = pytest.mark.django_db(transaction=True)


def in_singles(number: int) -> tuple[Run, list[int]]:
    """A run of `number` chunks of one record each, and the chunks' ids."""
    probes(number)
    run = poke_all()
    run.chunks.all().delete()
    ids = list(run.items.order_by("record_id").values_list("record_id", flat=True))
    return run, [chunk.pk for chunk in slicing.singles(run, ids)]


def test_of_two_processes_that_get_the_same_messages_each_chunk_is_claimed_by_one():
    run, ids = in_singles(100)
    won = at_once(*[lambda: [claims.claim(pk) is not None for pk in ids]] * 2)
    assert [sum(pair) for pair in zip(*won, strict=True)] == [1] * 100
    assert set(RunItem.objects.of(run).values_list("attempts", flat=True)) == {1}


def test_of_the_same_messages_worked_on_at_once_each_record_is_processed_by_one(monkeypatch):
    _run, ids = in_singles(60)
    original, bodies = Probe.process, []

    def counted(self):
        bodies.append(self.pk)
        return original(self)

    monkeypatch.setattr(Probe, "process", counted)
    at_once(*[lambda: [chunks.work(find("poke"), pk) for pk in ids]] * 2)
    assert len(bodies) == len(set(bodies)) == 60
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}


def test_a_run_cancelled_while_a_chunk_of_it_is_claimed_is_not_claimed_from(is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has one writer: nobody cancels in the middle of a claim")
    run, (pk,) = in_singles(1)
    with held(lambda: claims.claim(pk), Chunk.objects, "select_related") as claim:
        beside(lambda: Run.objects.filter(pk=run.pk).update(cancelled_at=timezone.now()))
        assert claim.finish() is None
    run.refresh_from_db()
    assert not operations.revoke(run)
    run.refresh_from_db()
    assert (run.state, run.chunks.count()) == (State.REVOKED, 0)
