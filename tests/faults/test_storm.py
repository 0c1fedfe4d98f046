"""Everything at once, in an order that a seed decides: what can happen to a run happens, and the accounts agree.

STORM_SECONDS=3600 STORM_SEED=7 .venv/bin/python -m pytest tests/faults/test_storm.py -s

The seed is printed; it decides what is done and to whom. When the processes come to it is theirs.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from django.db import connection
from django_celery_results.models import TaskResult

from backoffice.runs import operations
from backoffice.runs.doctor.compare import measure
from backoffice.runs.engine import broker
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.start import EmptySelection, start
from backoffice.runs.sweep import sweep
from tests.faults.actors import Actor, Stage
from tests.faults.counts import finished, lease_runs_out_now
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SECONDS = float(os.environ.get("STORM_SECONDS", "120"))
SEED = int(os.environ.get("STORM_SEED") or random.randrange(10**6))
PACE = 0.7  # seconds from one fault to the next


class Storm:
    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.random, self.done = stage, random.Random(seed), Counter[str]()
        stage.settings |= {"TEST_LEASE_SECONDS": "6", "PROBE_SECONDS": "0.02"}
        records = partial(stage.worker, "-Q", "records", wait=False)
        self.starts: dict[str, Callable[[], Actor]] = {
            "slow clock": lambda: records(TEST_CLOCK_AHEAD="-20"),
            "fast clock": lambda: records(TEST_CLOCK_AHEAD="20"),
            "control": lambda: stage.worker("-Q", "control", processes=1, wait=False),
            "beat": stage.beat,
        }
        self.actors = {name: begin() for name, begin in self.starts.items()}
        self.faults = [
            *(self.begin, self.begin, self.kill, self.freeze, self.duplicate, self.duplicate, self.cancel),
            *(self.retry, self.two_sweeps, self.repair, self.flush, self.expire),
        ]

    def go_on(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            fault = self.random.choice(self.faults)
            fault()
            self.done[fault.__name__] += 1
            time.sleep(PACE)  # the pace is the test's subject

    def an_actor(self) -> str:
        return self.random.choice(sorted(self.actors))

    def begin(self) -> None:
        chosen = self.random.sample(range(3), 2)
        with suppress(EmptySelection):  # all of them are in hand
            start(Probe.objects.filter(pk__in=[p for p in ids() if p % 3 in chosen]), "poke")

    def kill(self) -> None:
        name = self.an_actor()
        self.actors[name].kill()
        self.actors[name] = self.starts[name]()

    def freeze(self) -> None:
        """Sometimes for longer than a lease."""
        actor = self.actors[self.an_actor()]
        actor.freeze()
        time.sleep(self.random.choice([0.2, 1, 8]))
        actor.thaw()

    def duplicate(self) -> None:
        for chunk in Chunk.objects.select_related("run__task").order_by("pk")[:20]:
            broker.publish(chunk.run, [chunk])

    def cancel(self) -> None:
        if run := self.a_run(finished_at=None):
            operations.cancel(run, "storm")

    def retry(self) -> None:
        run = self.a_run(failed__gt=0)
        with suppress(EmptySelection):
            if run:
                operations.retry(run, "storm")

    def a_run(self, **which: object) -> Run | None:
        found = list(Run.objects.filter(**which).order_by("pk"))
        return self.random.choice(found) if found else None

    def two_sweeps(self) -> None:
        together(sweep, sweep)

    def repair(self) -> None:
        together(partial(measure, repair=True), partial(measure, repair=True))

    def flush(self) -> None:
        self.stage.client.flushall()

    def expire(self) -> None:
        lease_runs_out_now()


def ids() -> list[int]:
    return list(Probe.objects.order_by("pk").values_list("pk", flat=True))


def together(*works: Callable[[], object]) -> None:
    errors: list[Exception] = []

    def work(step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(step,)) for step in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def assert_accounts_agree() -> None:
    """Ledger, effects and TaskResult of all runs together; nothing is left on its way."""
    items = list(RunItem.objects.select_related("run"))
    states = {item.task_id: item.state for item in items}
    assert not Chunk.objects.exists()
    assert not RunItem.objects.filter(active=True).exists()
    assert dict(TaskResult.objects.filter(task_id__in=states).values_list("task_id", "status")) == states
    effects = Counter(item.record_id for item in items if item.state == State.SUCCESS)
    assert {pk: effects[pk] for pk in ids()} == dict(Probe.objects.values_list("pk", "effects"))
    for run in Run.objects.all():
        mine = Counter(item.state for item in items if item.run_id == run.pk)
        counted = (run.succeeded, run.failed, run.revoked)
        assert counted == tuple(mine[state] for state in ("SUCCESS", "FAILURE", "REVOKED"))


def test_whatever_happens_ledger_effects_and_results_agree_in_the_end(stage):
    print(f"STORM_SEED={SEED} STORM_SECONDS={SECONDS:g}")
    probes(240, behaviour="slow")
    probes(30, behaviour="fail")
    probes(15, behaviour="flaky")
    storm = Storm(stage, SEED)
    storm.go_on(SECONDS)
    print(f"{Run.objects.count()} runs, faults: {dict(storm.done)}")
    for run in Run.objects.order_by("pk"):
        wait_until(lambda run=run: finished(run), 180, what=f"run {run.pk} finished (seed {SEED})")
    wait_until(lambda: not Chunk.objects.exists(), 60, what=f"the last chunk gone (seed {SEED})")
    assert_accounts_agree()
    wait_until(lambda: measure().compared == RunItem.objects.count(), 30, what="all of them settled")
    assert measure().total == 0
