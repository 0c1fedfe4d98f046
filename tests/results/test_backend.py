"""The mirrored backend: Redis, TaskResult, and each without the other."""

import json
from types import SimpleNamespace

import pytest
from celery import current_app, states
from celery.result import AsyncResult
from django.db import OperationalError
from django_celery_results.models import TaskResult
from redis.exceptions import ConnectionError as RedisConnectionError

from backoffice.results import rows
from tests.probe.tasks import poke

pytestmark = pytest.mark.django_db(transaction=True)
ID = "3f1c0c5e-0000-4000-8000-000000000001"


def request(**fields):
    given = {"id": ID, "task": "a.task", "args": [1, "é"], "kwargs": {"k": 2}, "hostname": "w@h", "retries": 0}
    return SimpleNamespace(**{**given, "delivery_info": {"routing_key": "records"}, "children": [], **fields})


def store(state, result=None, **fields):
    current_app.backend.store_result(ID, result, state, request=request(**fields))


def test_an_outcome_is_in_redis_and_in_the_table():
    store(states.SUCCESS, {"answer": 42})
    row = TaskResult.objects.get(task_id=ID)
    assert (row.status, row.task_name, row.worker) == ("SUCCESS", "a.task", "w@h")
    assert (json.loads(row.task_args), json.loads(row.task_kwargs)) == ([1, "é"], {"k": 2})
    assert json.loads(row.result) == {"answer": 42}
    assert AsyncResult(ID).get(timeout=2) == {"answer": 42}


def test_a_late_started_never_overwrites_a_terminal_state():
    for terminal in (states.SUCCESS, states.FAILURE, states.REVOKED):
        TaskResult.objects.all().delete()
        current_app.backend.client.flushdb()
        store(terminal, "x" if terminal == states.SUCCESS else ValueError("x"))
        store(states.STARTED, {"pid": 1})
        store("PROGRESS", {"current": 1})
        assert TaskResult.objects.get().status == terminal
        assert current_app.backend._get_task_meta_for(ID)["status"] == terminal


def test_a_task_that_runs_is_started_until_it_tells_more():
    store(states.STARTED, {"pid": 1})
    assert AsyncResult(ID).state == states.STARTED
    store("PROGRESS", {"current": 1})
    assert AsyncResult(ID).state == "PROGRESS"


@pytest.mark.parametrize("fields", [{"retries": 1}, {"delivery_info": {"redelivered": True}}])
def test_a_task_that_starts_anew_is_started_whatever_was_told_before(fields):
    store(states.RETRY, ValueError("once more"))
    store(states.STARTED, {"pid": 1}, **fields)
    assert AsyncResult(ID).state == states.STARTED


def test_a_failure_that_then_succeeds_is_a_success_and_stays_one():
    store(states.FAILURE, ValueError("first"))
    store(states.SUCCESS, "second")
    store(states.FAILURE, ValueError("third"))
    assert TaskResult.objects.get().status == "SUCCESS"
    assert AsyncResult(ID).get(timeout=2) == "second"


def test_what_a_later_message_does_not_know_is_not_wiped():
    store(states.STARTED, {"pid": 1})
    current_app.backend.store_result(ID, "done", states.SUCCESS, request=None)
    row = TaskResult.objects.get()
    assert (row.status, row.task_name, json.loads(row.task_args), row.worker) == ("SUCCESS", "a.task", [1, "é"], "w@h")
    assert row.date_started is not None


@pytest.mark.parametrize("state", [states.RETRY, states.REVOKED, "PROGRESS", states.STARTED])
def test_every_state_is_mirrored(state):
    store(state, {"current": 1} if state == "PROGRESS" else ValueError("why") if state != states.STARTED else None)
    assert TaskResult.objects.get().status == state


def test_where_redis_lost_the_key_the_row_answers():
    store(states.SUCCESS, [1, 2])
    current_app.backend.client.flushall()
    assert AsyncResult(ID).get(timeout=2) == [1, 2]
    assert AsyncResult(ID).state == "SUCCESS"


def test_a_lost_failure_is_raised_from_the_row():
    store(states.FAILURE, ValueError("broken"))
    current_app.backend.client.flushall()
    with pytest.raises(ValueError, match="broken"):
        AsyncResult(ID).get(timeout=2)


def test_without_redis_the_row_is_written_and_the_task_does_not_fail(monkeypatch):
    def away(*_args, **_kwargs):
        raise RedisConnectionError("away")

    monkeypatch.setattr(current_app.backend, "_remember", away)
    store(states.SUCCESS, "kept")
    assert TaskResult.objects.get().status == "SUCCESS"


def test_without_the_database_redis_has_it_and_the_task_does_not_fail(monkeypatch):
    def locked(_rows):
        raise OperationalError("database is locked")

    monkeypatch.setattr(rows, "write", locked)
    store(states.SUCCESS, "kept")
    monkeypatch.undo()
    assert AsyncResult(ID).get(timeout=2) == "kept"


def test_a_message_that_carries_items_leaves_no_result_of_its_own():
    carrying = {"task": poke.name, "backoffice-chunk": 5}
    store(states.STARTED, {"pid": 1}, **carrying)
    store(states.FAILURE, ValueError("x"), **carrying)
    assert not TaskResult.objects.exists()
    assert not current_app.backend.client.keys("celery-task-meta-*")


def test_sensitive_arguments_are_masked_in_the_row_and_in_redis():
    @current_app.task(name="tests.connect", sensitive_args=("password",))
    def connect(host, password):
        pass

    try:
        store(states.SUCCESS, task="tests.connect", args=["h", "secret"], kwargs={"password": "secret"})
    finally:
        current_app.tasks.unregister("tests.connect")
    row = TaskResult.objects.get()
    assert (json.loads(row.task_args), json.loads(row.task_kwargs)) == (["h", "********"], {"password": "********"})
    assert b"secret" not in current_app.backend.client.get(f"celery-task-meta-{ID}")


def test_publishing_subscribes_to_nothing():
    assert current_app.backend.on_task_call(None, ID) == {}
    assert current_app.backend.result_consumer.subscribed_to == set()


def test_text_that_postgres_does_not_take_is_made_storable():
    store(states.SUCCESS, "nul \x00 byte")
    assert "nul" in json.loads(TaskResult.objects.get().result)
