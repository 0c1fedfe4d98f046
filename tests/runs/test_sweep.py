import contextlib
from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from backoffice.runs import sweep as sweeping
from backoffice.runs.engine import chunks, claims, give_back
from backoffice.runs.models import Chunk, Run, RunItem, State, TaskName, Worker
from backoffice.runs.registry import CLAIMS, find
from backoffice.runs.start import start
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import item, poke_all, probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(hours=1)


def sweeps_have_come_for_a_while() -> None:
    now = timezone.now()
    Worker.objects.update_or_create(
        name="sweep", defaults={"kind": Worker.Kind.SWEEP, "started_at": now - LONG_AGO, "seen_at": now}
    )


def queue_length() -> int:
    return current_app.connection_for_read().default_channel._size("records")


def test_a_sweep_with_nothing_to_do_costs_a_handful_of_queries(django_assert_max_num_queries):
    sweep()  # the first makes its own row
    with django_assert_max_num_queries(11):
        assert not any(sweep().values())


def test_a_due_run_is_started_when_its_schedule_missed_it():
    probes(2)
    run = poke_all(due_at=timezone.now() + timedelta(hours=1))
    assert not any(sweep().values())
    Run.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    sweep()
    assert work_off(run).succeeded == 2


def test_a_lost_message_is_published_again():
    probes(2)
    poke_all()
    current_app.backend.client.flushall()
    Chunk.objects.update(published_at=timezone.now() - LONG_AGO)
    sweep()
    assert queue_length() == Chunk.objects.count()
    sweep()
    assert queue_length() == Chunk.objects.count()  # it is in the queue now: once is enough


def test_a_chunk_whose_lease_ran_out_comes_back_one_by_one():
    probes(3)
    run = poke_all()
    Chunk.objects.all().delete()
    chunk = chunks.slicing.chunks_of(run, [list(run.items.order_by("record_id").values_list("record_id", flat=True))])[
        0
    ]
    claims.claim(chunk.pk)
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    sweep()
    assert list(Chunk.objects.values_list("size", flat=True)) == [1, 1, 1]
    assert set(RunItem.objects.values_list("deaths", flat=True)) == {0}
    assert work_off(run).succeeded == 3


def test_a_record_alone_with_three_workers_that_died_is_a_failure_and_named():
    (probe,) = probes(1)
    run = poke_all()
    sweeps_have_come_for_a_while()
    for _ in range(give_back.DEATHS):
        claims.claim(Chunk.objects.get().pk)
        Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
        sweep()
    run.refresh_from_db()
    assert (run.state, run.failed) == (State.FAILURE, 1)
    assert item(run, probe).error.startswith("worker lost: record")
    probe.refresh_from_db()
    assert probe.effects == 0


def test_a_worker_that_lives_and_was_only_slow_is_not_held_against_the_record():
    (probe,) = probes(1)
    run = poke_all()
    chunk, _items = claims.claim(Chunk.objects.get().pk)
    Worker.objects.create(name=chunk.worker)
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    sweep()
    assert item(run, probe).deaths == 0


def test_after_a_pause_of_everything_a_worker_gets_time_to_report_before_it_is_taken_for_dead():
    (probe,) = probes(1)
    run = poke_all()
    chunk, _items = claims.claim(Chunk.objects.get().pk)
    Worker.objects.create(name=chunk.worker, seen_at=timezone.now() - LONG_AGO)
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    sweep()
    assert Chunk.objects.filter(pk=chunk.pk).exists()
    Worker.objects.filter(name="sweep").update(started_at=timezone.now() - LONG_AGO)
    sweep()
    assert item(run, probe).deaths == 1


def test_a_run_whose_record_task_is_gone_holds_no_other_up_and_goes_on_when_it_is_back():
    probes(2)
    orphan = poke_all()
    TaskName.objects.filter(pk=orphan.task_id).update(name="no.such.task")
    Chunk.objects.all().delete()
    Probe.objects.all().delete()
    invoice = Invoice.objects.create(number="I1", net=1)
    run = start(Invoice.objects.all(), "tax_invoice")
    Chunk.objects.all().delete()
    sweep()
    assert work_off(run).succeeded == 1
    invoice.refresh_from_db()
    assert invoice.processed
    TaskName.objects.filter(pk=orphan.task_id).update(name="tests.probe.tasks.poke")
    sweep()
    assert work_off(orphan).failed == 2  # deleted above


def test_a_message_lost_behind_a_long_queue_of_others_is_sent_again():
    probes(1)
    poke_all()
    current_app.backend.client.flushall()
    for _ in range(3):
        current_app.send_task("tests.probe.tasks.poke", args=[0], queue="records")
    Chunk.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    sweep()
    assert queue_length() == 3
    Chunk.objects.update(published_at=timezone.now() - LONG_AGO)
    sweep()
    assert queue_length() == 4


@pytest.mark.parametrize("batch", [1000, 1])
def test_a_chunk_the_broker_refused_is_sent_however_many_messages_of_others_wait(batch, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", batch)
    probes(2)
    poke_all()
    current_app.backend.client.flushall()
    for _ in range(3):
        current_app.send_task("tests.probe.tasks.poke", args=[0], queue="records")
    refused, sent = Chunk.objects.order_by("-pk")
    Chunk.objects.filter(pk=refused.pk).update(published_at=None)
    Chunk.objects.filter(pk=sent.pk).update(published_at=timezone.now() - timedelta(minutes=1))
    sweep()
    assert queue_length() == 4
    sweep()
    assert queue_length() == 4


def test_a_due_retry_is_tried_again_until_it_succeeds_or_has_had_its_tries():
    healed, sick = probes(1, behaviour="flaky")[0], probes(1, behaviour="flaky")[0]
    run = work_off(poke_all())
    Probe.objects.filter(pk=healed.pk).update(text="back")
    for _ in range(2):
        sweep()  # not due yet
        assert not Chunk.objects.exists()
        RunItem.objects.filter(state=State.RETRY).update(due_at=timezone.now() - LONG_AGO)
        sweep()
        work_off(run)
    assert item(run, healed).state == State.SUCCESS
    assert (item(run, sick).state, item(run, sick).retries) == (State.FAILURE, 2)
    assert (run.state, run.succeeded, run.failed) == (State.FAILURE, 1, 1)


def test_a_run_with_nothing_on_its_way_is_cut_anew():
    probes(5)
    run = poke_all()
    Chunk.objects.all().delete()
    sweep()
    assert work_off(run).succeeded == 5


def test_a_run_whose_items_are_done_is_closed():
    probes(2)
    run = work_off(poke_all())
    Run.objects.update(finished_at=None, state=State.STARTED)
    sweep()
    run.refresh_from_db()
    assert run.state == State.SUCCESS


def test_two_sweeps_at_once_do_no_more_than_one():
    probes(3)
    run = poke_all()
    claims.claim(Chunk.objects.order_by("pk").first().pk)
    Chunk.objects.update(lease_until=timezone.now() - LONG_AGO)
    expired = list(Chunk.objects.expired().values_list("pk", flat=True))
    for pk in expired * 2:
        give_back.lost(pk)
    assert RunItem.objects.of(run).filter(deaths=2).count() == 0
    assert work_off(run).succeeded == 3
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}


class Undone(Exception):
    """By whoever made it part of something larger."""


@pytest.mark.parametrize("undone", [True, False])
def test_redis_hears_of_an_outcome_when_its_transaction_is_committed_and_not_before(undone):
    (probe,) = probes(1)
    run = poke_all()
    chunk, _items = claims.claim(Chunk.objects.get().pk)
    RunItem.objects.update(attempts=CLAIMS)
    redis, key = current_app.backend.client, current_app.backend.get_key_for_task(run.item_task_id(probe.pk))
    with contextlib.suppress(Undone), transaction.atomic():
        give_back.lost(chunk.pk)
        assert not redis.exists(key)
        if undone:
            raise Undone
    assert item(run, probe).state == (State.STARTED if undone else State.FAILURE)
    assert bool(redis.exists(key)) is not undone


def test_giving_back_counts_no_attempt():
    probes(1)
    poke_all()
    chunk, _items = claims.claim(Chunk.objects.get().pk)
    give_back.of_worker(chunk.worker)
    assert RunItem.objects.get().attempts == 0
    assert find("poke").name == "tests.probe.tasks.poke"
