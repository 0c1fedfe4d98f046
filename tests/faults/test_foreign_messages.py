"""What somebody pushes into a queue, or among what waits unacknowledged, ends no worker and holds nothing up."""

import base64
import json

import pytest
from celery import current_app
from django_celery_results.models import TaskResult

from tests.probe.tasks import echo
from tests.servers import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.spared]
ID = "5e7c0c5e-0000-4000-8000-000000000001"
BODY = base64.b64encode(b"[[1], {}, {}]").decode()
PROPERTIES = {"delivery_tag": "t", "body_encoding": "base64", "delivery_info": {"exchange": "", "routing_key": "tasks"}}
WHOLE = {
    "body": BODY, "content-type": "application/json", "content-encoding": "utf-8", "properties": PROPERTIES,
    "headers": {"id": ID, "task": echo.name, "lang": "py", "retries": 0},
}  # fmt: skip
NONE = [
    b"hello",
    b"",
    b"null",
    b"5",
    b"[]",
    b"{}",
    b"\xff\xfe",
    b'"x"',
    b"[" * 100_000,
    b'{"__type__": "uuid", "__value__": 5}',
]
ODD = [
    {"properties": None}, {"properties": []}, {"properties": "x"}, {"properties": {}},
    {"properties": {**PROPERTIES, "delivery_tag": {}}}, {"properties": {**PROPERTIES, "delivery_info": "x"}},
    {"properties": {**PROPERTIES, "body_encoding": "rot13"}}, {"properties": {**PROPERTIES, "body_encoding": 5}},
    {"body": "!!*"}, {"body": None}, {"body": {"a": 1}}, {"body": 5}, {"headers": None}, {"headers": "text"},
    {"headers": []},
    {"headers": {"id": ID}}, {"headers": {"id": ID, "task": ["a"]}}, {"content-type": []}, {"content-encoding": 5},
]  # fmt: skip


@pytest.fixture
def worker(lasting_worker):
    return lasting_worker


def pushed(message, queue="tasks"):
    """What the worker made of a call that came behind it."""
    client = current_app.connection_for_write().default_channel.client
    client.lpush(queue, message if isinstance(message, bytes) else json.dumps(message))
    return echo.apply_async([1], queue=queue).get(timeout=30)


@pytest.mark.parametrize("queue", ["tasks", "records", "control"])
def test_what_is_no_message_is_let_go_of(queue, worker):
    for text in NONE:
        assert pushed(text, queue) == [[1], {}], text[:50]
    assert worker.process.poll() is None
    assert "Connection to broker lost" not in worker.log.read_text(errors="replace")


def test_a_message_with_gaps_is_worked_on_or_refused_and_told(worker):
    for gap in ODD:
        TaskResult.objects.all().delete()
        assert pushed({**WHOLE, **gap}) == [[1], {}], gap
        if "headers" not in gap or "id" in (gap["headers"] or ""):
            wait_until(
                TaskResult.objects.filter(task_id=ID, status__in=("SUCCESS", "FAILURE")).exists, 20, f"{gap} told"
            )
        current_app.backend.client.flushdb()
    assert worker.process.poll() is None
    assert "Connection to broker lost" not in worker.log.read_text(errors="replace")


def test_what_waits_unacknowledged_and_is_no_message_holds_no_other_up(worker):
    channel = current_app.connection_for_write().default_channel
    texts = [*NONE, json.dumps([WHOLE, "tasks", "tasks"]).encode()]
    for number, text in enumerate(texts):
        channel.client.hset("unacked", f"tag {number}", text)
        channel.client.zadd("unacked_index", {f"tag {number}": len(texts) - number})
    channel.qos.restore_visible(num=100)
    assert not [tag for tag in channel.client.hkeys("unacked") if tag.startswith(b"tag")]
    wait_until(TaskResult.objects.filter(task_id=ID, status="SUCCESS").exists, 20, "the one behind them all")
