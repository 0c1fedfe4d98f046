"""Retention beside whoever reads, retries or writes what is old: no error, and nothing that is needed goes."""

import pytest
from django_celery_results.models import GroupResult, TaskResult

from backoffice.desk.audit import retention
from backoffice.runs import operations, snapshot, start
from backoffice.runs.models import Run, RunItem
from backoffice.testing import work_off
from tests.desk import factories
from tests.desk.audit.test_retention import deletions, keep, long_ago
from tests.probe.models import Probe
from tests.runs.deadlocks import strikes
from tests.runs.factories import poke_all, probes
from tests.runs.races import begun, beside, held, wait_until_locked

pytestmark = pytest.mark.django_db(transaction=True)


def old_run(**fields: object) -> Run:
    probes(3, **fields)
    run = work_off(poke_all())
    long_ago(30)
    return run


def test_a_run_that_is_retried_at_this_moment_stays(is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has one writer: nobody deletes in the middle of a click")
    run = old_run(behaviour="fail")
    keep(items=7, runs=7)
    with (
        held(lambda: operations.retry(run, "somebody"), snapshot, "write", after=True) as retrying,
        begun(lambda: retention.apply(60.0)) as deleting,
    ):
        wait_until_locked(deleting)
        retry = retrying.finish()
    assert (retry.total, Run.objects.get(pk=retry.pk).retry_of_id) == (3, run.pk)
    assert (RunItem.objects.of(run).count(), sum(deletions("runs"))) == (0, 0)


def test_a_retry_of_a_run_that_retention_took_at_this_moment_says_so():
    run = old_run(behaviour="fail")
    keep(items=7, runs=7)
    with held(lambda: refusal(run), start, "check") as retrying:
        beside(lambda: retention.apply(60.0))
        assert retrying.finish() == f"Run {run.pk} was deleted meanwhile, so there is nothing left to retry."
    assert not Run.objects.exists()


def refusal(run: Run) -> str:
    try:
        operations.retry(run, "somebody")
    except start.EmptySelection as refused:
        return str(refused)
    raise AssertionError("it was retried")


KINDS, DELETED = ("results", "items", "runs"), [[1, 3], [3], [1]]


def of_each_kind() -> None:
    for model in (TaskResult, GroupResult, RunItem, Run, Probe):
        model.objects.all().delete()
    factories.group_result()
    old_run()


def test_as_a_deadlocks_victim_it_is_asked_again_and_logs_each_deletion_once():
    for strike in strikes():
        of_each_kind()
        keep(results=7, items=7, runs=7)
        before = [len(deletions(kind)) for kind in KINDS]
        with strike:
            assert retention.apply(60.0) is False
        left = [model.objects.count() for model in (TaskResult, GroupResult, RunItem, Run)]
        assert left == [0, 0, 0, 0]
        assert [sorted(deletions(kind)[since:]) for kind, since in zip(KINDS, before, strict=True)] == DELETED
