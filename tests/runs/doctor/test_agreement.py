from datetime import timedelta

import pytest
from celery import current_app
from celery.result import AsyncResult
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.results.models import Activity
from backoffice.runs.doctor import compare
from backoffice.runs.doctor.compare import measure
from backoffice.runs.models import Run, RunItem, State
from backoffice.runs.operations import undo
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run():
    probes(5)
    probes(2, behaviour="fail")
    done = work_off(poke_all())
    RunItem.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    return done


def repaired() -> bool:
    measure(repair=True)
    return measure().total == 0


def test_after_a_run_the_three_agree(run):
    drift = measure()
    assert (drift.total, drift.compared, drift.redis_unknown) == (0, 7, False)


def test_rows_that_are_missing_or_say_something_else_are_written_again(run):
    TaskResult.objects.filter(status="FAILURE").first().delete()
    TaskResult.objects.filter(status="SUCCESS").update(status="FAILURE")
    drift = measure()
    assert (drift.rows_missing, drift.rows_wrong) == (1, 5)
    assert repaired()
    assert sorted(TaskResult.objects.values_list("status", flat=True)) == ["FAILURE"] * 2 + ["SUCCESS"] * 5


def test_a_success_that_a_row_denies_is_a_failure_again_where_the_ledger_says_so(run):
    TaskResult.objects.filter(status="FAILURE").update(status="SUCCESS")
    assert repaired()
    assert TaskResult.objects.filter(status="FAILURE").count() == 2


def test_what_redis_says_wrongly_is_corrected_and_what_it_forgot_is_no_fault(run):
    item = run.items.filter(state=State.SUCCESS).first()
    backend = current_app.backend
    key = backend.get_key_for_task(item.task_id)
    backend.client.set(key, backend.encode({"status": "FAILURE", "result": None, "task_id": item.task_id}))
    assert measure().redis_wrong == 1
    assert repaired()
    assert AsyncResult(item.task_id).get(timeout=2) == f"Processed instance {item.record_id}"
    backend.client.flushall()
    assert measure().total == 0


def test_counts_that_are_not_those_of_the_items_are_counted_again(run):
    Run.objects.update(succeeded=1, failed=9)
    assert measure().runs_wrong == 1
    assert repaired()
    run.refresh_from_db()
    assert (run.succeeded, run.failed, run.total) == (5, 2, 7)


def test_an_item_whose_chunk_is_gone_goes_back_to_work(run):
    RunItem.objects.filter(state=State.FAILURE).update(
        state=State.STARTED, chunk_id=10**9, active=True, finished_at=None, attempts=1, error=""
    )
    drift = measure()
    assert (drift.orphans, drift.runs_wrong) == (2, 1)
    assert repaired()
    run.refresh_from_db()
    assert run.finished_at is None
    sweep()
    assert work_off(run).failed == 2


def test_an_outcome_that_comes_while_it_looks_did_not_come_too_early(monkeypatch):
    probes(5)
    run = poke_all()
    ask_redis = compare._in_redis

    def ask_after_a_worker_was_there(task_ids, drift):
        work_off(run)
        return ask_redis(task_ids, drift)

    monkeypatch.setattr(compare, "_in_redis", ask_after_a_worker_was_there)
    assert measure(repair=True).total == 0
    assert TaskResult.objects.filter(status="SUCCESS").count() == 5
    assert not Activity.objects.filter(verb="run.repaired").exists()


def test_an_undo_that_left_records_alone_agrees_and_is_mended_to_what_it_was():
    moved, _other = probes(2)
    run = work_off(poke_all())
    type(moved).objects.filter(pk=moved.pk).update(result="by hand")
    again = work_off(undo(run, "anna"))
    RunItem.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    assert measure().total == 0
    TaskResult.objects.filter(task_id=again.item_task_id(moved.pk)).delete()
    Run.objects.filter(pk=again.pk).update(succeeded=0, state=State.FAILURE)
    assert repaired()
    again.refresh_from_db()
    assert (again.state, again.succeeded, again.conflicts) == (State.SUCCESS, 1, 1)
    assert "Changed since" in str(TaskResult.objects.get(task_id=again.item_task_id(moved.pk)).result)
