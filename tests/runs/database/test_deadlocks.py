"""PostgreSQL ends one of two that wait for each other. Whatever the engine was about to write, it is asked again.

The deadlock is a real one, forced before each statement in turn of each of the engine's transactions: this session
asks for a lock that another one holds, which in turn waits for one of ours.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.results.models import Activity
from backoffice.runs import operations, sweep
from backoffice.runs import start as starting
from backoffice.runs.doctor.compare import measure
from backoffice.runs.doctor.repair import repair
from backoffice.runs.engine import chunks, claims, give_back, heartbeats, plain_call
from backoffice.runs.models import ChangeSet, Chunk, Run, RunItem, State
from backoffice.runs.registry import find
from backoffice.schedules import later
from backoffice.testing import work_off
from tests import factories
from tests.probe.models import Odd, Probe
from tests.runs.deadlocks import strikes
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def begun(**fields):
    probes(2, **fields)
    return poke_all()


def claimed():
    run = begun()
    return run, [claims.claim(chunk.pk)[0] for chunk in run.chunks.order_by("pk")]


def due():
    probes(2)
    run = poke_all(due_at=timezone.now() + timedelta(hours=1))
    Run.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    return run


def retrying():
    run = work_off(begun(behaviour="flaky"))
    Probe.objects.update(text="back")
    RunItem.objects.of(run).update(due_at=timezone.now() - timedelta(hours=1))
    return run


def stalled():
    run = begun()
    Chunk.objects.all().delete()
    return run


def work(_run):
    chunks.work(find("poke"), Chunk.objects.unclaimed().earliest("pk").pk)


def planned():
    probes(2)


def asked():
    planned()
    return factories.user("probe.change_probe")


def plan(requester):
    due_at = timezone.now() + timedelta(hours=1)
    request = starting.RunRequest(requester=requester, due_at=due_at, form_token="t")
    run = later.plan(Probe.objects.all(), "poke", request)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def damaged():
    """One of each kind that a repair mends, in a run that ended a minute ago."""
    run, back = work_off(begun()), timezone.now() - timedelta(minutes=1)
    first, second = RunItem.objects.of(run).order_by("record_id")
    TaskResult.objects.filter(task_id=first.task_id).delete()
    RunItem.objects.of(run).filter(record_id=first.record_id).update(active=True, finished_at=back)
    lost = RunItem.objects.of(run).filter(record_id=second.record_id)
    lost.update(state=State.STARTED, chunk_id=10**9, finished_at=None)
    ChangeSet.objects.all().delete()  # as if its work had not been committed
    Chunk.objects.create(run=run, first=first.record_id, last=first.record_id, size=1)
    Run.objects.filter(pk=run.pk).update(succeeded=1, failed=7, finished_at=back)
    Probe.objects.update(effects=0)
    other = starting.start(Probe.objects.filter(pk__in=[probe.pk for probe in probes(2)]), "poke")
    Chunk.objects.create(run=other, first=0, last=0, size=1, claimed_at=back, lease_until=back)
    TaskResult.objects.filter(task_id="stuck").delete()
    TaskResult.objects.create(task_id="stuck", status="STARTED")
    TaskResult.objects.filter(task_id="stuck").update(date_done=timezone.now() - timedelta(days=3))


def mend(_nothing):
    """What was found is told once, however often its transaction was asked again; so it is in the log."""
    before = Activity.objects.filter(verb="run.repaired").count()
    drift = repair("somebody")
    found = {name: number for name, number in drift.as_dict().items() if number}
    assert (found.pop("runs"), found.pop("compared")) == (2, 1)
    assert found == {
        "rows_missing": 1, "too_early": 1, "orphans": 1, "holds_wrong": 2, "chunks_left": 1, "runs_wrong": 1,
        "calls_stuck": 1, "leases": 1,
    }  # fmt: skip
    assert Activity.objects.filter(verb="run.repaired").count() - before == sum(found.values())


# What is there before, and the step of the engine that is struck.
STEPS = {
    "a click": (planned, lambda _nothing: poke_all()),
    "a run for later": (asked, plan),
    "activation": (due, lambda run: starting.activate(run.pk)),
    "claim and write": (begun, work),
    "give back": (claimed, lambda of: [give_back.unworked(chunk, 1) for chunk in of[1]]),
    "lost": (claimed, lambda of: [give_back.lost(chunk.pk) for chunk in of[1]]),
    "cancel": (begun, lambda run: operations.cancel(run, "somebody")),
    "retries released": (retrying, lambda _run: sweep.requeue_due_retries()),
    "a stalled run": (stalled, lambda _run: sweep.repair_stalled()),
    "a sweep": (retrying, lambda _run: sweep.sweep()),
    "a repair": (damaged, mend),
    "a heartbeat": (begun, lambda _run: heartbeats.report("celery@here/1/a")),
    "a plain call": (Odd.objects.create, lambda odd: plain_call.process_one(find("poke_odd"), odd.pk, {})),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_deadlocks_victim_is_asked_again_and_nothing_is_lost_or_done_twice(step):
    before, act = STEPS[step]
    for strike in strikes():
        for model in (Chunk, RunItem, Run, Probe):
            model.objects.all().delete()
        there = before()
        with strike:
            act(there)
        assert_all_ends()


def assert_all_ends():
    sweep.sweep()
    for run in Run.objects.all():
        assert work_off(run).is_finished
        assert run.failed == 0
    assert not Chunk.objects.exists()
    assert measure().total == 0
    assert set(Probe.objects.values_list("effects", flat=True)) <= {0, 1}
