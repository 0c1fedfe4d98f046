"""The messages that lie in Redis."""

import json
from typing import Any

from celery import current_app


def messages() -> list[dict[str, Any]]:
    """What is waiting in the queues, oldest first."""
    with current_app.connection_for_read() as connection:
        client = connection.default_channel.client
        found = [
            json.loads(m) for queue in ("control", "records", "tasks") for m in reversed(client.lrange(queue, 0, -1))
        ]
    return [message["headers"] for message in found]


def messages_of_priority(priority: int) -> list[dict[str, Any]]:
    """Redis keeps them in a list of their own."""
    with current_app.connection_for_read() as connection:
        channel = connection.default_channel
        key = channel._q_for_pri("control", priority)
        return [json.loads(m)["headers"] for m in channel.client.lrange(key, 0, -1)]
