"""A storm of tasks that end in every way, on a real worker: Redis and TaskResult agree row by row afterwards."""

import json
import uuid

import pytest
from celery import current_app, states
from django_celery_results.models import TaskResult

from tests.servers import wait_until
from tests.workers import running_worker

from . import storm_tasks

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

UNICODE = "Zoë 株式会社 🜁 \u202e"
SCRIPT = "<script>alert(1)</script>"
MEGABYTES = 5 * 1024 * 1024


def sent() -> dict[str, str]:
    """The state that each task sent must end in, by task id."""
    revoked, unknown = str(uuid.uuid4()), "tests.results.storm_tasks.nobody_knows"
    current_app.control.revoke(revoked)
    storm_tasks.echo.apply_async(["never"], task_id=revoked)
    wanted = {revoked: states.REVOKED, current_app.send_task(unknown, [SCRIPT]).id: states.FAILURE}
    for task, args, state in (
        (storm_tasks.echo, [UNICODE], states.SUCCESS),
        (storm_tasks.echo, [{"a": [1, None, SCRIPT]}], states.SUCCESS),
        (storm_tasks.fail, [SCRIPT + UNICODE], states.FAILURE),
        (storm_tasks.flaky, [], states.SUCCESS),
        (storm_tasks.endless, [], states.FAILURE),
        (storm_tasks.die, [], states.FAILURE),
        (storm_tasks.large, [MEGABYTES], states.SUCCESS),
        *((storm_tasks.echo, [number], states.SUCCESS) for number in range(20)),
        *((storm_tasks.fail, [str(number)], states.FAILURE) for number in range(20)),
    ):
        wanted[task.delay(*args).id] = state
    return wanted


def in_redis(task_id: str) -> dict:
    return json.loads(current_app.backend.client.get(f"celery-task-meta-{task_id}") or "{}")


def test_redis_and_the_rows_agree_on_every_task_of_the_storm():
    with running_worker("-I", "tests.results.storm_tasks"):
        wanted = sent()
        ended = TaskResult.objects.filter(task_id__in=wanted, status__in=states.READY_STATES)
        wait_until(lambda: ended.count() == len(wanted), 60, "every task has a terminal row")
        wait_until(lambda: all(in_redis(pk).get("status") in states.READY_STATES for pk in wanted), 10, "and a key")
    rows = {row.task_id: row for row in TaskResult.objects.all()}
    assert set(rows) == set(wanted)
    for task_id, state in wanted.items():
        row, meta = rows[task_id], in_redis(task_id)
        said = f"{row.task_name} {row.task_args}"
        assert (row.status, meta["status"]) == (state, state), said
        assert json.loads(row.result) == meta["result"], said
        assert row.traceback == meta["traceback"], said
        if meta.get("args") is not None:
            assert json.loads(row.task_args) == meta["args"], said
    sizes = [len(row.result) for row in rows.values() if row.task_name and row.task_name.endswith("large")]
    assert sizes == [MEGABYTES + 2]
    kinds = {json.loads(row.result)["exc_type"] for row in rows.values() if row.status == states.FAILURE}
    assert kinds == {"ValueError", "TimeLimitExceeded", "WorkerLostError", "NotRegistered"}
