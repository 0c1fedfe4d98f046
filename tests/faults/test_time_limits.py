"""Limits of a record task are for a record, whatever its chunk holds."""

import pytest
from django.db.models import Sum

from backoffice.runs.models import RunItem
from backoffice.runs.registry import find
from backoffice.runs.start import start
from tests.faults.counts import assert_agreement, wait_finished
from tests.probe.models import Probe
from tests.runs.factories import item, probes
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.spared]


@pytest.mark.long
def test_many_quick_records_in_one_chunk_do_not_meet_the_limit_of_one(transactional_db):
    probes(120, behaviour="slow")
    with running_worker("-c", "1", PROBE_SECONDS="0.1"):
        run = wait_finished(start(Probe.objects.all(), find("poke_briefly")))
    assert run.succeeded == 120
    assert RunItem.objects.aggregate(deaths=Sum("deaths"))["deaths"] == 0
    assert_agreement(run)


@pytest.mark.slow
def test_a_record_over_the_soft_or_the_hard_limit_fails_with_the_limit_named_and_its_chunk_succeeds(transactional_db):
    probes(20)
    (long,) = probes(1, behaviour="slow")
    probes(20)
    (stubborn,) = probes(1, behaviour="stubborn")
    with running_worker(PROBE_SECONDS="30"):
        run = wait_finished(start(Probe.objects.all(), find("poke_briefly")), 120)
    assert (run.succeeded, run.failed) == (40, 2)
    assert item(run, long).error.startswith("Soft time limit exceeded: record")
    assert item(run, stubborn).error.startswith("Hard time limit of 4 s exceeded: record")
    assert_agreement(run)
