"""A team's test has a real worker, on the test's own database and a Redis that nobody else uses."""

import os

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection

from backoffice.runs.seam import State, start
from backoffice.testing import worker
from backoffice.testing.processes import NotForProcesses, database_url, environment, redis_in_use
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.second.models import Invoice
from tests.second.tasks import tax_invoice

pytestmark = pytest.mark.processes
SESSIONS = os.environ["REDIS_URL"]


@pytest.mark.spared
@pytest.mark.django_db(transaction=True)
def test_it_works_a_run_off_and_answers_a_plain_call_through_a_redis_of_its_own():
    Invoice.objects.bulk_create([Invoice(number=f"I{n}", net=100) for n in range(2)])
    first = Invoice.objects.earliest("pk")
    before = (current_app.conf.broker_url, current_app.conf.result_backend)
    with worker() as one:
        assert current_app.conf.broker_url == settings.CELERY_BROKER_URL != before[0]
        assert environment()["REDIS_URL"] in settings.CELERY_BROKER_URL
        run = start(Invoice.objects.all(), "tax_invoice").wait(60)
        assert (run.state, run.succeeded) == (State.SUCCESS, 2)
        result = tax_invoice.delay(first.pk)
        assert result.get(timeout=30) == f"Processed instance {first.pk}"
    assert one.process.poll() is not None
    assert not one.log.exists()
    assert (current_app.conf.broker_url, current_app.conf.result_backend) == before
    assert (settings.CELERY_BROKER_URL, os.environ["REDIS_URL"]) == (before[0], SESSIONS)
    assert not current_app.backend.client.keys("*"), "the Redis of the session heard of it"
    tax_invoice.delay(first.pk)
    with current_app.connection_for_read() as used:
        assert used.default_channel.client.llen("tasks") == 1


@pytest.mark.spared
@pytest.mark.django_db(transaction=True)
def test_messages_that_were_sent_before_are_found_where_its_redis_is_the_one_in_use():
    probes(3)
    run = start(Probe.objects.all(), "poke")
    with worker("-c", "1", redis=SESSIONS):
        assert run.wait(60).succeeded == 3


@pytest.mark.django_db
def test_inside_a_transaction_it_is_refused_with_what_to_take():
    with pytest.raises(NotForProcesses, match="take pytest's transactional_db"), worker():
        pass


@pytest.mark.django_db(transaction=True)
def test_a_database_in_memory_is_refused_with_what_to_write(monkeypatch, is_sqlite):
    if not is_sqlite:
        pytest.skip("PostgreSQL has none")
    monkeypatch.setitem(connection.settings_dict, "NAME", "file:memorydb_default?mode=memory&cache=shared")
    with pytest.raises(NotForProcesses, match="name a file"), worker():
        pass


@pytest.mark.spared
@pytest.mark.django_db(transaction=True)
def test_one_that_does_not_start_says_why():
    before = current_app.conf.broker_url
    with pytest.raises(RuntimeError, match="no-such-option"), worker("--no-such-option"):
        pass
    assert current_app.conf.broker_url == before


@pytest.mark.spared
@pytest.mark.django_db(transaction=True)
def test_what_is_raised_inside_ends_worker_and_redis():
    with pytest.raises(ZeroDivisionError), worker() as one:
        _ = 1 / 0
    assert one.process.poll() is not None


@pytest.mark.parametrize(
    ("found", "url"),
    [
        ({"USER": "a b", "PASSWORD": "p@/s", "HOST": "db.example", "PORT": 5433}, "a%20b:p%40%2Fs@db.example:5433"),
        ({"USER": "a", "PASSWORD": "", "HOST": "/run/postgresql", "PORT": ""}, "a@%2Frun%2Fpostgresql"),
    ],
)
@pytest.mark.django_db
def test_the_databases_address_is_written_with_all_it_has(monkeypatch, found, url):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    for name, value in {**found, "NAME": "test_x"}.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    assert database_url() == f"postgresql://{url}/test_x"


def test_redis_in_use_is_what_was_in_use_again_whatever_happens():
    before = current_app.conf.broker_url
    with pytest.raises(KeyError), redis_in_use("redis://127.0.0.1:1"):
        raise KeyError
    assert current_app.conf.broker_url == before
