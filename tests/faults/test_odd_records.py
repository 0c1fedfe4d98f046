"""FAULTS 20: records that are gone, and ids that are none."""

import pytest

from backoffice.runs.models import RunItem
from tests.faults.counts import assert_agreement, finished
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import item, poke_all, probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ODD = [999, 0, -1, "text", "", None, 2**63, 2**63 - 1, -(2**63), 2**200, "7; DROP TABLE", 1.5, True, [1], {"a": 1}]


@pytest.fixture
def worker(lasting_worker):
    return lasting_worker


def test_ids_that_are_no_record_get_a_sentence_each_and_the_worker_lives_on(worker):
    results = [(value, poke.delay(value)) for value in ODD]
    for value, result in results:
        assert result.get(timeout=30) == f"Instance {value} not found."
    (probe,) = probes(1)
    assert poke.delay(probe.pk).get(timeout=30) == f"Processed instance {probe.pk}"
    assert worker.process.poll() is None


def test_records_deleted_after_the_selection_fail_with_a_sentence_and_the_others_succeed(worker):
    kept, gone = probes(50), probes(50)
    run = poke_all()
    Probe.objects.filter(pk__in=[probe.pk for probe in gone]).delete()
    wait_until(lambda: finished(run), 60)
    assert run.succeeded + run.failed == 100
    assert run.succeeded >= 50
    for probe in gone:
        found = item(run, probe)
        assert found.state == "SUCCESS" or found.error == f"Instance {probe.pk} not found."
    assert RunItem.objects.filter(record_id__in=[probe.pk for probe in kept], state="SUCCESS").count() == 50
    assert_agreement(run)


@pytest.mark.parametrize("behaviour", ["cancelled", "interrupted"])
def test_an_error_that_is_no_exception_is_its_records_failure_at_once(behaviour, worker):
    probes(20)
    (bad,) = probes(1, behaviour=behaviour)
    run = poke_all()
    wait_until(lambda: finished(run), 60)
    assert (run.succeeded, run.failed) == (20, 1)
    assert item(run, bad).error.endswith(": no longer waited for")
    assert item(run, bad).attempts == 1
    assert_agreement(run)
