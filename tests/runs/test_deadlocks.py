"""PostgreSQL ends one of two that wait for each other. Whatever the engine was about to write, it is asked again.

The deadlock is a real one, forced before each statement in turn of each of the engine's transactions: this session
asks for a lock that another one holds, which in turn waits for one of ours.
"""

import threading
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from backoffice.runs import chunks, claims, fleet, release, single, sweep, verbs
from backoffice.runs import start as starting
from backoffice.runs.agreement import measure
from backoffice.runs.models import Chunk, Run, RunItem
from backoffice.runs.registry import find
from backoffice.schedules import later
from tests import factories
from tests.probe.models import Odd, Probe
from tests.workers import database_url

from .factories import poke_all, probes, work_off

pytestmark = pytest.mark.django_db(transaction=True)
OURS, THEIRS = 71, 72


class Opponent:
    """Makes this session a victim before the `at`-th statement that it runs inside a transaction."""

    def __init__(self, at: int) -> None:
        self.left, self.struck = at, False

    def __call__(self, execute, sql, parameters, many, context):
        if connection.in_atomic_block and not self.struck:
            self.left -= 1
            if self.left == 0:
                self.struck = True
                self.strike()
        return execute(sql, parameters, many, context)

    def strike(self) -> None:
        ready = threading.Event()
        own = connection.connection  # below the wrappers of Django, but for what turns errors into Django's
        thread = threading.Thread(target=self.wait_for_us, args=(ready,))
        with connection.wrap_database_errors:
            own.execute("SET LOCAL deadlock_timeout = '300ms'")
            own.execute(f"SELECT pg_advisory_xact_lock({OURS})")
            thread.start()
            assert ready.wait(10)
            try:
                own.execute(f"SELECT pg_advisory_xact_lock({THEIRS})")
            except psycopg.errors.DeadlockDetected:
                own.execute("ROLLBACK")  # as soon as it is the victim its locks are free: the other goes on
                raise
            finally:
                thread.join(10)
        raise AssertionError("no deadlock came about")

    def wait_for_us(self, ready: threading.Event) -> None:
        with psycopg.connect(database_url()) as other:
            other.execute("SET deadlock_timeout = '60s'")
            other.execute(f"SELECT pg_advisory_xact_lock({THEIRS})")
            ready.set()
            other.execute(f"SELECT pg_advisory_xact_lock({OURS})")


@contextmanager
def struck(at):
    opponent = Opponent(at)
    with connection.execute_wrapper(opponent):
        yield opponent


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


def plan(_nothing):
    run = later.plan(
        Probe.objects.all(), "poke", timezone.now() + timedelta(hours=1), requester=factories.user(), selection="",
        form_token="t",
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now() - timedelta(seconds=1))


# What is there before, and the step of the engine that is struck.
STEPS = {
    "a click": (planned, lambda _nothing: poke_all()),
    "a run for later": (planned, plan),
    "activation": (due, lambda run: starting.activate(run.pk)),
    "claim and write": (begun, work),
    "give back": (claimed, lambda of: [release.give_back(chunk, 1) for chunk in of[1]]),
    "lost": (claimed, lambda of: [release.lost(chunk.pk) for chunk in of[1]]),
    "cancel": (begun, lambda run: verbs.cancel(run, "somebody")),
    "retries released": (retrying, lambda _run: sweep.release_due_retries()),
    "a stalled run": (stalled, lambda _run: sweep.repair_stalled()),
    "a sweep": (retrying, lambda _run: sweep.sweep()),
    "a heartbeat": (begun, lambda _run: fleet.report("celery@here/1/a")),
    "a plain call": (Odd.objects.create, lambda odd: single.process_one(find("poke_odd"), odd.pk)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_deadlocks_victim_is_asked_again_and_nothing_is_lost_or_done_twice(step, is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has one writer, and no deadlocks")
    before, act = STEPS[step]
    for at in range(1, 100):
        for model in (Chunk, RunItem, Run, Probe):
            model.objects.all().delete()
        there = before()
        with struck(at) as opponent:
            act(there)
        assert_all_ends()
        if not opponent.struck:
            break
    assert at > 1, "it was never struck"


def assert_all_ends():
    sweep.sweep()
    for run in Run.objects.all():
        assert work_off(run).is_finished
        assert run.failed == 0
    assert not Chunk.objects.exists()
    assert measure().total == 0
    assert set(Probe.objects.values_list("effects", flat=True)) <= {0, 1}
