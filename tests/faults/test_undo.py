"""An undo whose worker is killed before each of its statements: each record is set back once, or is as it was."""

import os
import signal

import pytest
from django.db import connection, connections

from backoffice.runs.engine import broker, chunks, ledger
from backoffice.runs.models import ChangeSet, Chunk, Run
from backoffice.runs.operations import undo
from backoffice.runs.registry import find
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.faults.counts import lease_runs_out_now
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def die_before(statement: int, run: Run) -> bool:
    """Work on the run in a process that is killed before its n-th statement. False when it has fewer."""
    chunk = Chunk.objects.unclaimed().filter(run=run).get()
    connections.close_all()
    if child := os.fork():
        _pid, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)
    try:
        broker.publish = lambda *_args: True  # a socket that is the parent's
        ledger.tell_redis = lambda *_args: None
        seen = iter(range(1, statement))

        def count(execute, sql, *rest):
            if next(seen, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, *rest)

        with connection.execute_wrapper(count):
            chunks.work(find("poke"), chunk.pk)
    finally:
        os._exit(0)


def test_killed_before_each_statement_it_is_done_once_in_the_end(monkeypatch):
    monkeypatch.setattr("backoffice.runs.engine.slicing.window", lambda: 1)
    probes(3)
    moved = Probe.objects.create(text="moved")
    before = list(Probe.objects.order_by("pk").values())
    run = work_off(poke_all())
    Probe.objects.filter(pk=moved.pk).update(result="by hand")
    after, statement, killed = list(Probe.objects.order_by("pk").values()), 0, True
    before[-1] = after[-1]  # in this one it is left alone each time
    while killed:
        statement += 1
        run = undo(run, "somebody")
        killed = die_before(statement, run)
        found = list(Probe.objects.order_by("pk").values())
        assert found in (before, after)
        assert (ChangeSet.objects.filter(run=run).count() > 0) is (found == (before if statement % 2 else after))
        lease_runs_out_now()
        sweep()
        work_off(run)
        assert run.is_finished, statement
        assert (run.total, run.succeeded, run.failed) == (4 if statement == 1 else 3, 3, 0)
        assert run.conflicts == (1 if statement == 1 else 0)
        assert list(Probe.objects.order_by("pk").values()) == (before if statement % 2 else after)
        assert ChangeSet.objects.filter(run=run).count() == 3
    assert statement > 12
