"""Redis's lists as the worker reads them: whatever somebody pushed there is a message, or is let go of with a word.

In kombu what is no message ends the worker, and one that waits unread among the unacknowledged keeps all behind it.
"""

import json
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any

from kombu.log import get_logger
from kombu.transport import redis, virtual
from kombu.utils.uuid import uuid

logger = get_logger(__name__)

MEANINGLESS = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


class Message(virtual.Message):
    """Of a text with gaps, or that is none at all, the consumer can still tell whose call it was, and refuse it."""

    def __init__(self, payload: Any, channel: Any = None, **kwargs: Any) -> None:
        whole = fitted(payload)
        try:
            super().__init__(whole, channel=channel, **kwargs)
        except (AttributeError, *MEANINGLESS):  # the body is not encoded as it says
            whole["properties"]["body_encoding"] = None
            super().__init__(whole, channel=channel, **kwargs)


def fitted(payload: Any) -> dict[str, Any]:
    """The same where nothing is amiss; else with all that kombu takes for granted."""
    given = payload if isinstance(payload, dict) else {"body": json.dumps(payload)}
    properties = given.get("properties")
    if _is_complete(properties) and isinstance(given.get("headers"), Mapping) and isinstance(given.get("body"), str):
        return given
    known = dict(properties) if isinstance(properties, Mapping) else {"body_encoding": None}
    info = known.get("delivery_info")
    places = info if isinstance(info, Mapping) else {}
    known["delivery_info"] = {"exchange": "", "routing_key": "", **places}
    if not isinstance(known.get("delivery_tag"), str):
        known["delivery_tag"] = uuid()
    headers, body = given.get("headers"), given.get("body")
    if not isinstance(body, str):
        body, known["body_encoding"] = json.dumps(body), None
    headers = dict(headers) if isinstance(headers, Mapping) else {}
    return {**given, "properties": known, "headers": headers, "body": body}


def _is_complete(properties: Any) -> bool:
    if not isinstance(properties, Mapping) or not isinstance(properties.get("delivery_tag"), str):
        return False
    info = properties.get("delivery_info")
    return isinstance(info, Mapping) and "exchange" in info and "routing_key" in info


class QoS(redis.QoS):
    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        try:
            super().restore_by_tag(tag, client, leftmost)
        except MEANINGLESS as exc:
            if not _was_unreadable(exc):
                raise
            logger.error("What waited unacknowledged under %r was no message and is let go of: %s", tag, exc)
            with self.channel.conn_or_acquire(client) as reached:
                self._remove_from_indices(tag, reached.pipeline()).execute()


class Channel(redis.Channel):
    QoS = QoS
    Message = Message

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except MEANINGLESS as exc:
            if not _was_unreadable(exc):
                raise
            logger.error("What was taken from a queue was no message and is let go of: %s", exc)
            return True


def _was_unreadable(exc: BaseException) -> bool:
    """Whether it is about the text that was read, and not about the connection, nor about what is done with it."""
    names = [frame.f_code.co_name for frame, _line in walk_tb(exc.__traceback__)]
    return "_deliver" not in names and ("loads" in names or names[-1] == "restore_transaction")


class Transport(redis.Transport):
    Channel = Channel
