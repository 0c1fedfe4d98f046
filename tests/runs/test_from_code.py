"""What a run tells whoever started it from code: that it has ended, and what became of each record."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.runs.models import Run, RunItem, TaskName
from backoffice.runs.seam import RecordOutcome, State, cancel, retry, start
from backoffice.runs.start import activate
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.runs.races import on_its_own

pytestmark = pytest.mark.django_db(transaction=True)


def test_wait_returns_the_run_when_another_process_has_ended_it():
    probes(3)
    run = poke_all()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(on_its_own, lambda: work_off(Run.objects.get(pk=run.pk)))
        assert run.wait(30) is run
        other.result(30)
    assert (run.state, run.succeeded) == (State.SUCCESS, 3)


def test_wait_gives_up_in_time_and_asks_the_database_seldom():
    probes(3)
    run = poke_all()
    with CaptureQueriesContext(connection) as asked, pytest.raises(TimeoutError, match="in 2 seconds: 0 of 3 are done"):
        run.wait(2)
    assert len(asked) < 15


@pytest.mark.parametrize("timeout", [0, 0.0, -1])
def test_no_time_at_all_is_one_look(timeout):
    probes(1)
    run = poke_all()
    with pytest.raises(TimeoutError):
        run.wait(timeout)
    assert work_off(run).wait(timeout).is_finished


def test_wait_inside_a_transaction_is_refused_and_not_waited_for():
    probes(1)
    with transaction.atomic():
        run = poke_all()
        with pytest.raises(TransactionManagementError, match="while a transaction is open here"):
            run.wait()
    assert work_off(run).wait() is run
    with transaction.atomic():
        assert run.wait().is_finished  # it has ended: nothing to wait for


def test_outcomes_say_of_each_record_what_became_of_it():
    good, bad, waiting = probes(1)[0], probes(1, behaviour="fail")[0], probes(1)[0]
    run = work_off(start([good.pk, bad.pk], "poke"))
    assert list(run.outcomes()) == [
        RecordOutcome(good.pk, State.SUCCESS, RunItem.objects.get(record_id=good.pk).outcome, ""),
        RecordOutcome(bad.pk, State.FAILURE, "", RunItem.objects.get(record_id=bad.pk).error),
    ]
    assert [each.error.partition(":")[0] for each in run.outcomes()] == ["", "ValueError"]
    assert list(start([waiting.pk], "poke").outcomes()) == [(waiting.pk, State.PENDING, "", "")]


@pytest.mark.spared
def test_outcomes_of_many_records_come_in_pages():
    run = poke_all() if probes(3) else None
    RunItem.objects.bulk_create(
        [RunItem(run=run, record_id=10_000 + n, task_no=run.task_id, active=False) for n in range(40_000)], 5_000
    )
    tracemalloc.start()
    with CaptureQueriesContext(connection) as asked:
        assert sum(1 for _each in run.outcomes()) == 40_003
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(asked) == 41
    assert most < 8_000_000


def test_outcomes_may_be_written_about_while_they_are_read():
    """An iterator left open would lock SQLite's writers out."""
    run = poke_all() if probes(3) else None
    for each in run.outcomes():
        assert Probe.objects.filter(pk=each.record_id).update(text="read")


def test_cancel_and_retry_are_the_same_as_on_the_pages():
    probes(2, behaviour="fail")
    run = work_off(poke_all())
    again = retry(run, by="Anna")
    assert (again.total, again.retry_of, again.requester_name) == (2, run, "Anna")
    assert cancel(again, by="Berta").undone == 2
    assert again.wait(5).state == State.REVOKED
    assert {each.state for each in again.outcomes()} == {State.REVOKED}
    assert TaskName.objects.count() == 1


def test_a_time_that_is_none_is_refused_by_name():
    probes(1)
    with pytest.raises(TypeError, match="due_at takes a datetime with a time zone, not 'tomorrow'"):
        start(Probe.objects.all(), "poke", due_at="tomorrow")


def test_what_a_program_planned_under_a_name_starts_at_its_time():
    """A name is nobody's who could have been deleted since."""
    probes(2)
    run = start(Probe.objects.all(), "poke", by="the night shift", due_at=timezone.now() + timedelta(hours=1))
    assert activate(run.pk)
    run.refresh_from_db()
    assert (run.cancelled_at, run.source, run.requester_name) == (None, "command", "the night shift")
