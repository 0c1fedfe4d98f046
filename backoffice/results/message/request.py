"""A message as the worker's main process sees it: whatever stands in one, and however its task ends, it lives on."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.request import Request
from kombu.exceptions import KombuError

LONGEST = 10 * 365 * 24 * 3600  # seconds that a timer takes


class OutOfMemory(Exception):
    """A child's MemoryError. Under its own name Celery raises it in the main process, too, which ends it."""


class SteadyRequest(Request):
    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(message, *args, **kwargs)
            check(self)
        except (InvalidTaskError, KombuError):
            raise
        except Exception as exc:  # headers of any kind, a body that is no call
            raise InvalidTaskError(f"The message is no call: {type(exc).__name__}: {exc}") from exc

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        exc = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(exc, MemoryError):
            exc_info.exception = OutOfMemory(f"MemoryError: {exc}")
        return super().on_failure(exc_info, send_failed_event, return_ok)


def check(request: Request) -> None:
    """Raises InvalidTaskError for what would be an error of the main process later, for ever."""
    if not isinstance(request.id, str) or not request.id:
        raise InvalidTaskError(f"The id {request.id!r} is no text.")
    limits = request.time_limits
    if not isinstance(limits, list | tuple) or len(limits) != 2 or not all(map(is_limit, limits)):
        raise InvalidTaskError(f"The time limits {limits!r} are not two numbers of seconds.")
    args, kwargs, embed = request._payload
    if not (isinstance(args, list | tuple) and isinstance(kwargs, Mapping) and isinstance(embed, Mapping | None)):
        raise InvalidTaskError("The arguments are no list and mapping.")
    if not isinstance(request.stamped_headers, Sequence) or not isinstance(request.stamps, Mapping):
        raise InvalidTaskError(f"The stamps {request.stamped_headers!r} are no list.")


def is_limit(seconds: Any) -> bool:
    return seconds is None or (
        isinstance(seconds, int | float)
        and not isinstance(seconds, bool)
        and isfinite(seconds)
        and 0 <= seconds <= LONGEST
    )
