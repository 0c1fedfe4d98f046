"""Real worker processes for tests, on the Redis that the tests' own settings have started."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from celery import current_app

from backoffice.testing import Worker, database_url, environment, worker

__all__ = ["ROOT", "Worker", "database_url", "environment", "running_worker"]
ROOT = Path(__file__).resolve().parent.parent


def running_worker(*arguments: str, **variables: str) -> AbstractContextManager[Worker]:
    redis = variables.pop("REDIS_URL", os.environ["REDIS_URL"])
    return worker(*arguments, redis=redis, folder=Path(os.environ["BACKOFFICE_TEST_DIR"]), **variables)


def declare_queues() -> None:
    """As a worker does that comes up."""
    with current_app.connection_for_write() as connection:
        for queue in current_app.amqp.queues.values():
            queue(connection.default_channel).declare()


def is_idle() -> bool:
    """Of the only worker there is: nothing waits for it, and it has nothing in hand."""
    with current_app.connection_for_read() as connection:
        client = connection.default_channel.client
        if any(client.llen(name) for name in current_app.amqp.queues):
            return False
    inspect = current_app.control.inspect(timeout=5, limit=1)
    in_hand = [inspect.active(), inspect.reserved()]
    return all(in_hand) and not any(tasks for answer in in_hand for tasks in answer.values())
