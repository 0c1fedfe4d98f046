"""What one store did not take waits in the other until the sweep brings it home. The storm does it to real servers."""

import json
from types import SimpleNamespace

import pytest
from celery import current_app, states
from celery.result import AsyncResult
from django.db import OperationalError
from django_celery_results.models import TaskResult
from redis.exceptions import ConnectionError as RedisConnectionError

from backoffice.results import rows, spool
from backoffice.results.models import UntoldResult
from backoffice.runs.sweep import sweep

pytestmark = pytest.mark.django_db(transaction=True)
ID = "3f1c0c5e-0000-4000-8000-000000000002"


def store(state, result=None, task_id=ID, **fields):
    given = {"id": task_id, "task": "a.task", "args": [1, "é"], "kwargs": {"k": 2}, "hostname": "w@h", "retries": 0}
    headers = {"backoffice-schedule": "Nightly"}
    request = SimpleNamespace(
        **{**given, "delivery_info": {"routing_key": "records"}, "children": [], "headers": headers, **fields}
    )
    current_app.backend.store_result(task_id, result, state, request=request)


@pytest.fixture
def no_database(monkeypatch):
    def locked(_rows):
        raise OperationalError("database is locked")

    monkeypatch.setattr(rows, "write", locked)
    return monkeypatch


@pytest.fixture
def no_redis(monkeypatch):
    def away(*_args, **_kwargs):
        raise RedisConnectionError("away")

    monkeypatch.setattr(current_app.backend, "_remember", away)
    return monkeypatch


def in_redis(task_id: str = ID) -> dict:
    return json.loads(current_app.backend.client.get(f"celery-task-meta-{task_id}") or "{}")


def test_an_outcome_the_database_did_not_take_is_written_whole_by_the_sweep(no_database):
    store(states.STARTED, {"pid": 1})
    store(states.SUCCESS, {"answer": "42 🜁"})
    no_database.undo()
    assert not TaskResult.objects.exists()
    assert sweep()["delivered"] == 2
    row = TaskResult.objects.get()
    assert (row.status, row.task_name, row.worker, row.periodic_task_name) == ("SUCCESS", "a.task", "w@h", "Nightly")
    assert (json.loads(row.task_args), json.loads(row.result)) == ([1, "é"], {"answer": "42 🜁"})
    assert row.date_started <= row.date_done
    assert sweep()["delivered"] == 0


def test_while_the_database_is_away_nothing_is_let_go_of(no_database):
    store(states.SUCCESS, 1)
    with pytest.raises(OperationalError):
        spool.deliver()
    no_database.undo()
    assert spool.deliver() == 1


def test_a_row_that_the_database_refuses_for_ever_holds_no_other_up(no_database):
    spool.for_database(current_app.backend.client, rows.row("refused", None))
    store(states.SUCCESS, 2)
    no_database.undo()
    assert spool.deliver() == 2
    assert TaskResult.objects.get().task_id == ID


def test_a_late_outcome_from_redis_never_overwrites_a_newer_terminal_one(no_database):
    store(states.STARTED, {"pid": 1})
    no_database.undo()
    store(states.SUCCESS, 2)
    spool.deliver()
    assert TaskResult.objects.get().status == "SUCCESS"


def test_redis_is_told_later_what_it_did_not_take(no_redis):
    store(states.SUCCESS, "kept")
    no_redis.undo()
    current_app.backend.client.set(f"celery-task-meta-{ID}", json.dumps({"status": "STARTED", "result": None}))
    assert UntoldResult.objects.count() == 1
    assert sweep()["delivered"] == 1
    assert not UntoldResult.objects.exists()
    kept = in_redis()
    assert (kept["status"], kept["result"], kept["args"], kept["name"]) == ("SUCCESS", "kept", [1, "é"], "a.task")


def test_a_terminal_row_answers_before_a_key_that_stood_still(no_redis):
    store(states.FAILURE, ValueError("broken"))
    no_redis.undo()
    current_app.backend.client.set(f"celery-task-meta-{ID}", json.dumps({"status": "STARTED", "result": None}))
    assert AsyncResult(ID).state == "FAILURE"
    with pytest.raises(ValueError, match="broken"):
        AsyncResult(ID).get(timeout=2)


def test_a_key_that_is_ahead_of_its_row_answers(no_database):
    store("PROGRESS", {"current": 1})
    no_database.undo()
    assert AsyncResult(ID).state == "PROGRESS"


def test_with_redis_away_the_sweep_goes_on_with_the_rest(no_database, monkeypatch):
    store(states.SUCCESS, 1)
    no_database.undo()
    monkeypatch.setattr(
        type(current_app.backend.client),
        "zrange",
        lambda *_a, **_k: (_ for _ in ()).throw(RedisConnectionError("away")),
    )
    assert sweep()["delivered"] == 0
    monkeypatch.undo()
    assert sweep()["delivered"] == 1
