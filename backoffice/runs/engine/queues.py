"""A queue as kombu keeps it in Redis: one list for each step of priority, the first under the queue's own name."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.conf import settings
from kombu.transport.redis import PRIORITY_STEPS, Channel
from redis.exceptions import NoPermissionError

_options = cast(dict[str, Any], settings.CELERY_BROKER_TRANSPORT_OPTIONS)
SEPARATOR = str(_options.get("sep", Channel.sep))
STEPS = tuple(_options.get("priority_steps", PRIORITY_STEPS))


def ask(pipeline: Any, queues: Iterable[str]) -> None:
    """Ask for the length of every list of these queues; `counted` reads the answers."""
    for queue in queues:
        for step in STEPS:
            pipeline.llen(f"{queue}{SEPARATOR}{step}" if step else queue)


def counted(queues: Sequence[str], answers: Sequence[Any]) -> dict[str, int]:
    """How many messages wait in each queue. Raises the first error among the answers."""
    each = (answers[at : at + len(STEPS)] for at in range(0, len(queues) * len(STEPS), len(STEPS)))
    return {queue: sum(map(_length, lists, STEPS)) for queue, lists in zip(queues, each, strict=True)}


def _length(answer: Any, step: int) -> int:
    if step and isinstance(answer, NoPermissionError):
        return 0  # a user who may read the queues by their names alone
    if isinstance(answer, Exception):
        raise answer
    return int(answer)


def queue_of(key: bytes | str) -> str:
    """The queue a list belongs to."""
    name = key.decode(errors="replace") if isinstance(key, bytes) else key
    return name.partition(SEPARATOR)[0]
