"""Whose message it is: only our own, prefixed headers make it a run's or a schedule's."""

from uuid import uuid4

import pytest
from celery import current_app
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from backoffice.runs.models import Chunk, Run
from backoffice.schedules.beat.publish import message_options
from backoffice.schedules.models import Firing
from backoffice.schedules.tasks import start_scheduled_run
from records.tasks import add
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes
from tests.runs.worker.test_worker import finished
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FOREIGN = [
    {"chunk": 5},
    {"chunk": "abc"},
    {"chunk": 5, "run": 1},
    {"backoffice-chunk": "abc"},
    {"backoffice-chunk": True},
    {"firing": "abc", "celery_beat_task": True, "periodic_task_name": "Nightly"},
]


@pytest.fixture
def worker(lasting_worker):
    return lasting_worker


@pytest.fixture
def nightly():
    every = IntervalSchedule.objects.create(every=1, period="days")
    return PeriodicTask.objects.create(name="Nightly", task="records.tasks.add", interval=every)


def test_a_strangers_headers_neither_hide_a_result_nor_make_a_call_a_chunk(worker):
    (probe,) = probes(1)
    for headers in [*FOREIGN, {"backoffice-chunk": 5}]:
        assert add.apply_async((2, 3), headers=headers).get(timeout=20) == 5
    for headers in FOREIGN:
        sent = poke.apply_async((probe.pk,), headers=headers)
        assert sent.get(timeout=20) == f"Processed instance {probe.pk}"
    assert TaskResult.objects.filter(status="SUCCESS").count() == 2 * len(FOREIGN) + 1
    assert not any(TaskResult.objects.values_list("periodic_task_name", flat=True))


def test_in_a_call_without_a_worker_they_mean_as_little():
    (probe,) = probes(1)
    for headers in FOREIGN:
        assert poke.apply((probe.pk,), headers=headers).get() == f"Processed instance {probe.pk}"


@pytest.mark.parametrize("headers", [{}, {"celery_beat_task": True}], ids=["its name", "and as beat writes it"])
def test_a_schedule_is_not_blamed_for_what_a_stranger_sends_in_its_name(worker, nightly, headers):
    headers = {"periodic_task_name": "Nightly", **headers}
    probes(1)
    sent = add.apply_async((2, 3), headers=headers)
    assert sent.get(timeout=20) == 5
    assert TaskResult.objects.get(task_id=sent.id).periodic_task_name is None
    started = start_scheduled_run.apply_async((poke.name,), {"filter": {}}, headers=headers)
    assert started.get(timeout=20).startswith("Started run")
    assert list(Run.objects.values_list("schedule", "schedule_name")) == [(None, "")]


def test_a_worker_of_the_version_before_finds_in_our_messages_what_it_looks_for(nightly):
    probes(3)
    poke_all()
    with current_app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("records", no_ack=True)
    chunk = Chunk.objects.get(pk=message.headers["backoffice-chunk"])
    assert (message.headers["chunk"], message.headers["run"]) == (chunk.pk, chunk.run_id)
    assert message.headers["ignore_result"] is True
    told = message_options(nightly, Firing(pk=7, attempts=1))["headers"]
    assert (told["firing"], told["periodic_task_name"], told["celery_beat_task"]) == (7, "Nightly", True)
    nightly.headers = '{"firing": "its own"}'
    assert message_options(nightly, Firing(pk=7, attempts=1))["headers"]["firing"] == "its own"


def test_a_chunk_that_was_under_way_when_the_header_got_its_prefix_is_still_a_chunk(worker):
    probes(3)
    run = poke_all()
    current_app.control.purge()
    chunks = list(Chunk.objects.all())  # the worker may have taken one before
    messages = [str(uuid4()) for _ in chunks]
    for message, chunk in zip(messages, chunks, strict=True):
        old = {"chunk": chunk.pk, "run": run.pk}
        poke.apply_async(args=[chunk.first], task_id=message, headers=old, ignore_result=True, queue="records")
    wait_until(lambda: finished(run), what="run finished")
    assert set(Probe.objects.values_list("effects", flat=True)) == {1}
    assert not TaskResult.objects.filter(task_id__in=messages).exists()
