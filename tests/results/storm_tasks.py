"""Tasks that end in every way a task can end. Not discovered: a worker gets them by `-I tests.results.storm_tasks`."""

import os
import signal
import time
from contextlib import suppress
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task, shared_task


@shared_task
def echo(value: Any) -> Any:
    return value


@shared_task
def fail(text: str) -> None:
    raise ValueError(text)


@shared_task(bind=True, max_retries=1)
def flaky(self: Task) -> str:
    if not self.request.retries:
        raise self.retry(countdown=0)
    return "second time"


@shared_task(soft_time_limit=1, time_limit=2)
def endless() -> None:
    while True:
        with suppress(SoftTimeLimitExceeded):  # so that the hard limit must come
            time.sleep(0.1)


@shared_task
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task
def large(size: int) -> str:
    return "x" * size
