import subprocess
import sys
import threading

import pytest
from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from celery.result import AsyncResult
from django.db import connection
from django_celery_results.models import TaskResult

from backoffice.runs import operations
from backoffice.runs.engine import chunks, claims, give_back
from backoffice.runs.models import Chunk, RunItem, State
from backoffice.runs.registry import find
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import item, poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def test_ledger_record_task_result_and_redis_tell_the_same():
    (probe,) = probes(1)
    run = work_off(poke_all())
    probe.refresh_from_db()
    row = TaskResult.objects.get(task_id=run.item_task_id(probe.pk))
    assert (run.state, run.succeeded, run.failed) == (State.SUCCESS, 1, 0)
    assert (probe.result, probe.effects, probe.processed) == ("PROBE 0", 1, True)
    assert (item(run, probe).state, item(run, probe).outcome) == (State.SUCCESS, "done: PROBE 0")
    assert (row.status, row.task_name, row.task_args) == ("SUCCESS", "tests.probe.tasks.poke", f"[{probe.pk}]")
    assert AsyncResult(row.task_id).get(timeout=2) == f"Processed instance {probe.pk}"
    assert current_app.backend.client.exists(current_app.backend.get_key_for_task(row.task_id))


def test_a_failing_record_fails_alone_with_its_own_traceback():
    good, bad = probes(5), probes(1, behaviour="fail")[0]
    run = work_off(poke_all())
    assert (run.state, run.succeeded, run.failed) == (State.FAILURE, 5, 1)
    assert item(run, bad).error == "ValueError: cannot work on 'probe 0'"
    row = TaskResult.objects.get(task_id=run.item_task_id(bad.pk))
    assert row.status == "FAILURE"
    assert "in fail" in row.traceback
    with pytest.raises(ValueError, match="cannot work on"):
        AsyncResult(row.task_id).get(timeout=2)
    assert Probe.objects.filter(pk__in=[p.pk for p in good], effects=1).count() == 5


def test_a_value_its_column_does_not_take_fails_its_record_alone():
    probes(4)
    (bad,) = probes(1, behaviour="unwritable")
    run = work_off(poke_all())
    assert (run.succeeded, run.failed) == (4, 1)
    assert item(run, bad).state == State.FAILURE


def test_a_record_deleted_after_the_click_is_a_failure_with_the_sentence():
    (probe,) = probes(1)
    run = poke_all()
    Probe.objects.all().delete()
    assert work_off(run).state == State.FAILURE
    assert item(run, probe).error == f"Instance {probe.pk} not found."


@pytest.mark.parametrize("dead", [True, False])
def test_a_message_that_comes_again_frees_its_chunk_only_if_the_child_that_claimed_it_is_dead(dead):
    probes(3)
    run = poke_all()
    chunk = Chunk.objects.earliest("pk")
    assert claims.claim(chunk.pk)
    if dead:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        Chunk.objects.filter(pk=chunk.pk).update(child=gone.pid)
    chunks.work(find("poke"), chunk.pk)
    assert Chunk.objects.filter(pk=chunk.pk).exists() is not dead
    assert RunItem.objects.of(run).filter(chunk_id=chunk.pk).exists() is not dead
    if dead:
        assert work_off(run).succeeded == 3
        assert set(Probe.objects.values_list("effects", flat=True)) == {1}


def test_a_duplicate_message_changes_nothing_anywhere():
    probes(3)
    run = poke_all()
    ids = list(Chunk.objects.values_list("pk", flat=True))
    work_off(run)
    before = list(TaskResult.objects.order_by("pk").values())
    keys = {key: current_app.backend.client.get(key) for key in current_app.backend.client.keys("celery-task-meta-*")}
    for chunk_id in ids:
        chunks.work(find("poke"), chunk_id)
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}
    assert list(TaskResult.objects.order_by("pk").values()) == before
    assert {key: current_app.backend.client.get(key) for key in keys} == keys
    assert set(RunItem.objects.values_list("attempts", flat=True)) == {1}


def test_of_two_claims_one_wins():
    probes(3)
    poke_all()
    chunk_id = Chunk.objects.first().pk
    wins = [claims.claim(chunk_id), claims.claim(chunk_id)]
    assert wins[0] is not None
    assert wins[1] is None


def test_a_holder_that_was_taken_for_dead_writes_nothing():
    (probe,) = probes(1)
    run = poke_all()
    chunk, items = claims.claim(Chunk.objects.get().pk)
    shift = chunks.Shift(find("poke"), chunk, items)
    give_back.lost(chunk.pk)
    with pytest.raises(chunks.Lost):
        shift.run_through()
    probe.refresh_from_db()
    assert probe.effects == 0
    assert not TaskResult.objects.exists()
    assert work_off(run).succeeded == 1
    probe.refresh_from_db()
    assert probe.effects == 1


@pytest.mark.parametrize("edit", ["form", "update", "sql"])
def test_a_record_edited_meanwhile_is_processed_again_and_the_edit_stays(edit, monkeypatch):
    (probe,) = probes(1)
    run = poke_all()
    original, edited = Probe.process, []

    def edit_meanwhile(self):
        outcome = original(self)
        if not edited:
            edited.append(True)
            thread = threading.Thread(target=change, args=(edit, probe.pk))
            thread.start()
            thread.join()
        return outcome

    monkeypatch.setattr(Probe, "process", edit_meanwhile)
    work_off(run)
    probe.refresh_from_db()
    assert (probe.text, probe.result, probe.effects) == ("edited", "EDITED", 1)
    assert run.succeeded == 1


def change(how: str, pk: int) -> None:
    if how == "form":
        found = Probe.objects.get(pk=pk)
        found.text = "edited"
        found.save()
    elif how == "update":
        Probe.objects.filter(pk=pk).update(text="edited")
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE probe_probe SET text = 'edited' WHERE id = %s", [pk])
    connection.close()


def test_a_transient_error_waits_in_the_database_and_is_tried_again():
    (probe,) = probes(1, behaviour="flaky")
    run = work_off(poke_all())
    waiting = item(run, probe)
    assert (waiting.state, waiting.retries) == (State.RETRY, 1)
    assert waiting.due_at > waiting.started_at
    assert TaskResult.objects.get().status == "RETRY"
    assert run.finished_at is None


def test_cancel_is_honoured_before_the_next_claim_and_leaves_the_rest_undone():
    probes(300)
    run = poke_all()
    first = Chunk.objects.order_by("pk").first()
    chunks.work(find("poke"), first.pk)
    left = operations.cancel(run, "somebody").undone
    waiting = list(Chunk.objects.values_list("pk", flat=True))
    for chunk_id in waiting:
        chunks.work(find("poke"), chunk_id)
    run.refresh_from_db()
    assert run.state == State.REVOKED
    assert (run.succeeded, run.revoked) == (first.size, left)
    assert Probe.objects.filter(effects=1).count() == first.size
    assert TaskResult.objects.filter(status="REVOKED").count() == left


def test_the_soft_time_limit_keeps_what_is_finished_and_fails_nobody(monkeypatch):
    records = probes(3)
    run = poke_all()
    Chunk.objects.all().delete()
    chunk = chunks.slicing.chunks_of(run, [[record.pk for record in records]])[0]
    original, seen = Probe.process, []

    def interrupted(self):
        seen.append(self.pk)
        if len(seen) == 3:
            raise SoftTimeLimitExceeded
        return original(self)

    monkeypatch.setattr(Probe, "process", interrupted)
    chunks.work(find("poke"), chunk.pk)
    assert RunItem.objects.filter(state=State.SUCCESS).count() == 2
    assert RunItem.objects.filter(state=State.PENDING).count() == 1
    assert work_off(run).succeeded == 3


def test_a_slow_chunk_hands_back_what_it_has_not_begun(monkeypatch):
    probes(8)
    run = poke_all()
    Chunk.objects.all().delete()
    chunk = chunks.slicing.chunks_of(run, [list(run.items.order_by("record_id").values_list("record_id", flat=True))])[
        0
    ]
    monkeypatch.setattr(chunks, "BUDGET", -1)
    chunks.work(find("poke"), chunk.pk)
    assert Chunk.objects.exists()
    assert RunItem.objects.exclude(state=State.PENDING).get().state == State.SUCCESS  # one, or it would never end
    assert set(RunItem.objects.filter(state=State.PENDING).values_list("attempts", flat=True)) == {0}


def test_queries_per_chunk_do_not_grow_with_its_size(django_assert_max_num_queries):
    for number in (5, 100):
        probes(number)
        run = poke_all()
        Chunk.objects.all().delete()
        ids = list(run.items.order_by("record_id").values_list("record_id", flat=True))
        chunk = chunks.slicing.chunks_of(run, [ids])[0]
        with django_assert_max_num_queries(26):
            chunks.work(find("poke"), chunk.pk)
        run.refresh_from_db()
        assert run.state == State.SUCCESS
