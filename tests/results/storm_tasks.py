"""Tasks that end in every way a task can end. Not discovered: a worker gets them by `-I tests.results.storm_tasks`."""

import logging
import os
import signal
import time
from contextlib import suppress
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task, shared_task

logger = logging.getLogger(__name__)


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


@shared_task(bind=True)
def step_by_step(self: Task) -> str:
    for number in range(3):
        self.update_state(state="PROGRESS", meta={"current": number, "total": 3})
        time.sleep(0.05)
    return "all steps"


@shared_task(bind=True, sensitive_args=("password",), max_retries=1)
def sign_in(self: Task, host: str, password: str, then: str) -> Any:
    """Quotes its password wherever a careless task might."""
    print("signing in with", password)
    logger.warning("the password is %s", password)
    self.update_state(state="PROGRESS", meta={"trying": password})
    if then == "retry" and not self.request.retries:
        raise self.retry(countdown=0, exc=ValueError(f"not with {password}"))
    if then == "fail":
        try:
            raise KeyError(password)
        except KeyError as error:
            raise ValueError(f"refused: {password!r}", {"key": password}) from error
    return {"host": host, "used": [password], password: True}


@shared_task
def hold(seconds: float) -> str:
    time.sleep(seconds)
    return "held"


@shared_task
def total(values: list[int]) -> int:
    return sum(values)
