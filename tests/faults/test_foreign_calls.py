"""Calls of any kind against a real worker: each ends in one row that knows what was called, and the worker lives on."""

import json
from decimal import Decimal

import pytest
from celery import chord, current_app, group, states
from django_celery_results.models import TaskResult

from tests.probe.models import Probe
from tests.probe.tasks import echo, end, end_unheard, give, poke, try_unheard
from tests.runs.factories import item, poke_all, probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = ["file \udce4.csv", "\ud800", "nul \x00 byte", r"typed \u0000", "🜁"]


@pytest.fixture
def worker(lasting_worker):
    return lasting_worker


def row_of(result, *ended):
    """The call's row once it has ended."""
    task_id = getattr(result, "id", result)
    rows = TaskResult.objects.filter(task_id=task_id, status__in=ended or states.READY_STATES)
    wait_until(rows.exists, 30, what=f"{task_id} ended")
    return rows.get()


def state_in_redis(row):
    """Told a moment after the row is written."""
    key = current_app.backend.get_key_for_task(row.task_id)
    wait_until(lambda: current_app.backend.get(key), 10, what="Redis told")
    return json.loads(current_app.backend.get(key))["status"]


def assert_one_end(row, state, name=None):
    assert (row.status, state_in_redis(row)) == (state, state)
    assert name is None or row.task_name == name


def assert_lives(worker):
    assert echo.delay(1).get(timeout=30) == [[1], {}]
    assert worker.process.poll() is None


def test_text_of_any_kind_goes_in_and_out(worker):
    for text in TEXTS:
        assert echo.delay(text, k=text).get(timeout=30) == [[text], {"k": text}]
        failed = end.delay("ValueError", text)
        with pytest.raises(ValueError, match="^" if text else ""):
            failed.get(timeout=30)
        assert_one_end(row_of(failed), "FAILURE", end.name)
    assert poke.delay("\ud800").get(timeout=30) == "Instance \ud800 not found."
    assert_lives(worker)


def test_a_run_over_records_that_speak_in_foreign_text_ends(worker):
    good = probes(3)
    bad, odd = probes(1, behaviour="foreign_error")[0], probes(1, behaviour="foreign_outcome")[0]
    run = poke_all()
    wait_until(lambda: run.refresh_from_db() or run.finished_at, 30, what="the run finished")
    assert (run.succeeded, run.failed) == (4, 1)
    assert [item(run, probe).state for probe in (*good, odd, bad)] == ["SUCCESS"] * 4 + ["FAILURE"]
    assert item(run, bad).attempts <= 2
    assert Probe.objects.get(pk=odd.pk).effects == 1


def test_a_result_that_is_no_json_is_one_error_in_both_stores(worker):
    for kind in ("set", "timedelta", "object"):
        row = row_of(give.delay(kind))
        assert_one_end(row, "FAILURE", give.name)
        assert json.loads(row.result)["exc_type"] == "EncodeError"
    assert give.delay("decimal").get(timeout=30) == Decimal("1.50")


KINDS = ["MemoryError", "RecursionError", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "Ended"]


@pytest.mark.spared
def test_whatever_a_plain_task_raises_is_its_one_failure_and_the_worker_lives(worker):
    for kind in KINDS:
        for row in [row_of(end.delay(kind, "enough")) for _ in range(2)]:
            assert_one_end(row, "FAILURE", end.name)
            assert json.loads(row.task_args) == [kind, "enough"]
    assert_lives(worker)
    assert worker.log.read_text(errors="replace").count("Connection to broker lost") == 0
    assert current_app.backend.client.llen("tasks") == 0


HEADERS = [
    {"timelimit": "abc"}, {"timelimit": [None, "1"]}, {"timelimit": 5}, {"timelimit": [1]}, {"timelimit": {"a": 1}},
    {"timelimit": [1e400, None]}, {"timelimit": [-1, None]}, {"timelimit": [True, None]}, {"eta": "abc"}, {"eta": 5},
    {"expires": "abc"}, {"expires": {}}, {"stamped_headers": 5}, {"stamped_headers": ["a"], "stamps": 5},
    {"stamped_headers": [["a"]]},
]  # fmt: skip


@pytest.mark.spared
def test_a_message_with_headers_that_mean_nothing_is_refused_and_told(worker):
    sent = [(headers, echo.apply_async([1], {"k": 2}, headers=headers)) for headers in HEADERS]
    for headers, result in sent:
        row = row_of(result)
        assert (row.status, state_in_redis(row), row.task_name) == ("FAILURE", "FAILURE", echo.name), headers
        assert (json.loads(row.task_args), json.loads(row.task_kwargs)) == ([1], {"k": 2}), headers
    assert_lives(worker)
    log = worker.log.read_text(errors="replace")
    assert "Connection to broker lost" not in log
    wait_until(lambda: not current_app.connection_for_read().default_channel.client.hlen("unacked"), 10, "all answered")


BODIES = [b"5", b"[]", b"[1, 2, 3]", b'["a", "b", "c"]', b"[[], {}, 5]", b"{", b"\xff", b"[" * 5_000]


@pytest.mark.spared
def test_a_message_whose_body_is_no_call_is_refused_and_told(worker):
    with current_app.connection_for_write() as connection:
        producer = connection.Producer()
        for number, body in enumerate(BODIES):
            headers = {"id": f"odd-body-{number}", "task": echo.name, "lang": "py", "retries": 0}
            producer.publish(
                body.decode("latin-1"), routing_key="tasks", exchange="tasks", headers=headers, serializer=None,
                content_type="application/json", content_encoding="utf-8",
            )  # fmt: skip
    for number in range(len(BODIES)):
        assert_one_end(row_of(f"odd-body-{number}"), "FAILURE", echo.name)
    assert_lives(worker)


@pytest.mark.spared
def test_a_message_without_an_id_is_refused(worker):
    for task_id in (5, None, {"a": 1}, [], ""):
        echo.apply_async([1], headers={"id": task_id})
    assert_lives(worker)


def test_an_unknown_task_is_a_failure_that_knows_what_was_called(worker):
    for name in ("no.such.task", "long." * 100, "odd \ud800 name"):
        row = row_of(current_app.send_task(name, args=[1, "é"], kwargs={"k": 2}))
        assert_one_end(row, "FAILURE")
        assert row.task_name.startswith(name[:4])
        assert (json.loads(row.task_args), json.loads(row.task_kwargs)) == ([1, "é"], {"k": 2})
    assert_lives(worker)


def test_ids_longer_than_their_column_are_found(worker):
    for task_id in ("x" * 300 + "a", "x" * 300 + "b", "odd \ud800 id", "nul \x00 id"):
        result = echo.apply_async([task_id], task_id=task_id)
        assert result.get(timeout=30) == [[task_id], {}]
        current_app.backend.client.delete(current_app.backend.get_key_for_task(task_id))
        assert echo.AsyncResult(task_id).get(timeout=10) == [[task_id], {}]
    assert TaskResult.objects.count() == 4


def test_the_body_of_a_failed_header_knows_what_it_was(worker):
    bodies = [echo.s(5, k=6), group(echo.s(5, k=6), echo.s(5, k=6)), echo.s(1) | echo.s(5, k=6)]
    for ended, body in zip((1, 3, 4), bodies, strict=True):
        chord([end.s("ValueError", "why"), echo.s(1)])(body)
        rows = TaskResult.objects.filter(task_name=echo.name, task_args="[5]", task_kwargs='{"k": 6}', status="FAILURE")
        wait_until(lambda rows=rows, ended=ended: rows.count() == ended, 30, what="the body's end")
    assert not TaskResult.objects.filter(task_name=None).exists()


def test_a_call_revoked_before_its_time_keeps_name_and_arguments(worker):
    result = echo.apply_async([1], {"k": 2}, countdown=300)
    wait_until(lambda: result.id in worker.log.read_text(errors="replace"), what="received")
    result.revoke()
    row = row_of(result)
    wait_until(lambda: row.refresh_from_db() or row.task_name, 10, what="its name")
    assert_one_end(row, "REVOKED", echo.name)
    assert (json.loads(row.task_args), json.loads(row.task_kwargs)) == ([1], {"k": 2})


def test_an_error_of_a_task_that_ignores_its_result_is_a_row(worker):
    row = row_of(end_unheard.delay())
    assert_one_end(row, "FAILURE", end_unheard.name)
    unheard = try_unheard.delay()
    wait_until(lambda: worker.log.read_text(errors="replace").count("try_unheard") > 3, what="tried twice")
    assert_lives(worker)
    assert not TaskResult.objects.filter(task_id=unheard.id).exists()
