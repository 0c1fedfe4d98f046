"""A team's test works a run off in its own process: inside a transaction, and where no Redis answers."""

import pytest
from django.db import connection, transaction

from backoffice.management.redis_server import free_port
from backoffice.runs.seam import State, start
from backoffice.testing import work_off
from backoffice.testing.processes import redis_in_use
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.second.models import Invoice


@pytest.fixture
def _no_redis():
    with redis_in_use(f"redis://127.0.0.1:{free_port()}"):
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_redis")
def test_inside_the_tests_own_transaction_and_without_redis():
    assert connection.in_atomic_block
    Invoice.objects.bulk_create([Invoice(number=f"I{n}", net=100) for n in range(450)])
    run = work_off(start(Invoice.objects.all(), "tax_invoice"))
    assert (run.wait(0).state, run.succeeded) == (State.SUCCESS, 450)
    assert {str(each) for each in Invoice.objects.values_list("gross", flat=True)} == {"120.00"}
    assert {each.outcome for each in run.outcomes()} == {"taxed: 120.00"}


@pytest.mark.django_db
def test_a_record_that_fails_harms_no_other_there():
    good, bad = probes(1)[0], probes(1, behaviour="fail")[0]
    run = work_off(start([good.pk, bad.pk], "poke"))
    assert [each.state for each in run.outcomes()] == [State.SUCCESS, State.FAILURE]
    assert Probe.objects.get(pk=good.pk).effects == 1


@pytest.mark.django_db
def test_a_value_that_its_column_does_not_take_is_that_records_failure_there():
    good, bad = probes(1)[0], probes(1, behaviour="unwritable")[0]
    run = work_off(start([good.pk, bad.pk], "poke"))
    assert [each.state for each in run.outcomes()] == [State.SUCCESS, State.FAILURE]
    assert Probe.objects.get(pk=good.pk).effects == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_redis")
def test_after_a_commit_that_no_redis_hears_of():
    probes(3)
    with transaction.atomic():
        run = start(Probe.objects.all(), "poke")
    assert run.waits_for_broker
    assert work_off(run).succeeded == 3
