"""A worker that loses Redis lives on, and what it had in hand runs again."""

import pytest
from celery import current_app
from django_celery_results.models import TaskResult

from records.tasks import add, long_running_task
from tests.servers import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.once]  # a worker's waits between its tries are timed; Redis is away

RESTARTS = 5


def test_what_a_worker_had_in_hand_runs_again_as_soon_as_redis_is_back(stage):
    """And not after the visibility timeout. With processes free a BRPOP is under way too: the channel closes badly."""
    worker = stage.worker("-Q", "tasks", processes=3)
    with current_app.connection_for_write(f"{stage.url}/0") as connection:
        task_id = long_running_task.apply_async(kwargs={"steps": 4}, connection=connection).id
    for time in range(1, RESTARTS + 1):
        wait_until(lambda time=time: worker.lines.count(f"[{task_id}] received") == time, 30, f"coming {time}")
        wait_until(lambda time=time: stage.somebody_waits_in_brpop(), what="a process free")
        stage.redis.stop()
        stage.start_redis()
    wait_until(lambda: TaskResult.objects.filter(task_id=task_id, status="SUCCESS").exists(), 30, "the end")
    assert worker.says("")


def test_an_error_of_celery_while_it_connects_again_does_not_end_the_worker(stage):
    worker = stage.worker("-Q", "tasks", "-I", "tests.faults.odd_step")
    connected = worker.lines.count("] Connected to")
    stage.redis.stop()
    stage.start_redis()
    wait_until(lambda: worker.lines.count("] Connected to") >= connected + 2, 60, "connected again")
    with current_app.connection_for_write(f"{stage.url}/0") as connection:
        task_id = add.apply_async([1, 2], connection=connection).id
    wait_until(lambda: TaskResult.objects.filter(task_id=task_id, status="SUCCESS").exists(), what="a task done")
