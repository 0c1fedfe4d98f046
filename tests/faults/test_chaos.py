"""FAULTS 10: every two seconds somebody dies."""

import random
import time

import pytest

from tests.faults.counts import assert_agreement, finished, the_run
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
EVERY = 2.0  # seconds
LONGEST = 600.0


def test_five_thousand_records_survive_a_kill_every_two_seconds(stage):
    probes(5000, behaviour="slow")
    starts = {
        "control": stage.control,
        "one": lambda: stage.worker("-Q", "records", wait=False, PROBE_SECONDS="0.02"),
        "two": lambda: stage.worker("-Q", "records", wait=False, PROBE_SECONDS="0.02"),
        "beat": stage.beat,
        "web": stage.web,
    }
    actors = {name: start() for name, start in starts.items()}
    assert actors["web"].click().status == 302
    run, deadline, kills = the_run(), time.monotonic() + LONGEST, 0
    starts["control"] = lambda: stage.worker("-Q", "control", processes=1, wait=False)
    while not finished(run):
        assert time.monotonic() < deadline, f"{run.done} of {run.total} done after {kills} kills"
        until = time.monotonic() + EVERY
        victim = random.choice(list(actors))
        actors[victim].kill()
        actors[victim] = starts[victim]()
        kills += 1
        time.sleep(max(0.0, until - time.monotonic()))  # the pace is the test's subject
    print(f"{kills} kills, {time.monotonic() - deadline + LONGEST:.0f} s, {run.succeeded} succeeded")
    assert_agreement(run)
    assert Probe.objects.filter(effects=1).count() == run.succeeded >= 4990
