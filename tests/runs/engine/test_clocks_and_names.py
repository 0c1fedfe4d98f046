"""Whose a chunk is, and until when: by names that a restart changes and by the one clock all machines share."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db.models import F
from django.utils import timezone

from backoffice.runs import ids, sweep
from backoffice.runs.doctor import repair
from backoffice.runs.engine import claims, give_back, heartbeats, identity
from backoffice.runs.models import Chunk, RunItem, Worker
from tests.runs.factories import poke_all, probes
from tests.runs.races import beside, held
from tests.runs.test_sweep import LONG_AGO, sweeps_have_come_for_a_while

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = (timedelta(minutes=-10), timedelta(minutes=10))


@pytest.fixture
def claimed():
    """A chunk of one record, claimed."""
    probes(1)
    poke_all()
    return claims.claim(Chunk.objects.get().pk)[0]


@pytest.fixture
def new_start():
    """The same node and process id again, as in a restarted container."""
    yield lambda: identity.become(identity.node_name())
    identity._main_pid = None


def by_a_wrong_clock(monkeypatch, wrong):
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + wrong)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_lease_and_a_heartbeat_written_by_a_machine_with_a_wrong_clock_hold_as_long_as_any(wrong, monkeypatch):
    probes(1)
    poke_all()
    with monkeypatch.context() as patch:
        by_a_wrong_clock(patch, wrong)
        chunk, _items = claims.claim(Chunk.objects.get().pk)
        heartbeats.report(chunk.worker)
    assert not Chunk.objects.expired().exists()
    assert timedelta(0) < Chunk.objects.get().lease_until - timezone.now() <= heartbeats.ALIVE
    assert heartbeats.is_alive(chunk.worker)
    assert Worker.objects.get(name=chunk.worker).seconds_ahead == pytest.approx(wrong.total_seconds(), abs=2)


def test_after_the_clock_was_set_back_the_dead_are_found_and_what_was_lost_is_sent_as_soon_as_ever(claimed):
    heartbeats.report(claimed.worker)
    sweeps_have_come_for_a_while()
    hour = timedelta(hours=1)
    Chunk.objects.update(lease_until=F("lease_until") + hour)
    Worker.objects.update(seen_at=F("seen_at") + hour, started_at=F("started_at") + hour)
    sweep.sweep()
    assert timedelta(0) < Chunk.objects.get().lease_until - timezone.now() <= heartbeats.ALIVE  # its holder may live
    assert not heartbeats.is_alive(claimed.worker)
    sweeps_have_come_for_a_while()
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    assert sweep.rescue_expired() == 1
    assert RunItem.objects.get().deaths == 1
    Chunk.objects.update(published_at=timezone.now() + hour)
    current_app.backend.client.flushall()
    assert sweep.republish_unclaimed() == 1
    assert sweep.republish_unclaimed() == 0


@pytest.mark.parametrize("wrong", WRONG)
def test_a_sweep_with_a_wrong_clock_takes_nothing_from_the_living(claimed, wrong, monkeypatch):
    heartbeats.report(claimed.worker)
    sweeps_have_come_for_a_while()
    by_a_wrong_clock(monkeypatch, wrong)
    sweep.sweep()
    repair.release_leases("doctor")
    assert Chunk.objects.get().pk == claimed.pk
    assert RunItem.objects.get().deaths == 0
    assert not heartbeats.is_unswept()


def test_a_lease_renewed_since_the_sweep_looked_is_left_alone(claimed):
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    with held(sweep.rescue_expired, give_back, "lost"):
        beside(lambda: Chunk.objects.update(lease_until=claims.lease()))
    assert Chunk.objects.get().pk == claimed.pk


def test_a_worker_that_comes_back_under_the_same_name_and_process_id_is_another_one(claimed, new_start):
    sweeps_have_come_for_a_while()
    assert claimed.worker == identity.worker_name()
    new_start()
    heartbeats.report(identity.worker_name())
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    sweep.sweep()
    assert RunItem.objects.get().deaths == 1
    give_back.of_worker(identity.worker_name())  # and gives nothing back that is not its own
    assert not claims.died_with_child(claimed.pk)


def test_a_name_of_any_length_fits_and_is_shown_as_people_know_it(new_start):
    identity.become("celery@" + "x" * 300)
    heartbeats.report(identity.worker_name())
    assert len(Worker.objects.get().name) <= 200
    assert ids.in_words("celery@here/17/1a2b3c4d") == "celery@here, process 17"
    assert (ids.in_words("celery@here/17"), ids.in_words("sweep")) == ("celery@here, process 17", "sweep")


def test_a_pause_of_everything_is_seen_though_the_sweep_had_begun_before_it(claimed):
    """Machine and workers stood still after the sweep wrote that it comes; all of them live."""
    sweeps_have_come_for_a_while()
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert sweep.rescue_expired() == 0
    assert Chunk.objects.get().pk == claimed.pk
