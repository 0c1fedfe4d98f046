"""Transactions that are asked again, where another one was in their way.

The engine takes its locks in one order: chunk, records by id, items by record id, outcomes, run. Where two orders meet
all the same (an import that writes records beside work, say) PostgreSQL ends one of the two, which then has changed
nothing and only needs to be asked again: a click must not fail for it, nor a slice of work be done anew.
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.db import DatabaseError, connection

from backoffice.results.outage import is_outage, sqlstate

logger = logging.getLogger(__name__)

TRIES = 3
VICTIM = {"40P01", "40001"}  # PostgreSQL's deadlock_detected and serialization_failure


def again[**P, T](*also: type[DatabaseError]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Of a function that is one transaction: repeat it whole when it was a deadlock's victim, or raised one of `also`.

    Inside a transaction of the caller it raises, for that one is undone with it: the outermost is to be repeated.
    """

    def decorate(step: Callable[P, T]) -> Callable[P, T]:
        @wraps(step)
        def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
            for _try in range(TRIES - 1):
                try:
                    return step(*args, **kwargs)
                except DatabaseError as exc:
                    if connection.in_atomic_block or not (was_victim(exc) or isinstance(exc, also)):
                        raise
                    logger.info("%s is asked again: %s", step.__qualname__, str(exc).partition("\n")[0])
            return step(*args, **kwargs)

        return repeated

    return decorate


def was_victim(exc: BaseException) -> bool:
    return sqlstate(exc) in VICTIM


def is_away(exc: BaseException) -> bool:
    """Whether the database itself does not answer, so that asking for anything else would only wait for it."""
    return is_outage(exc) and not was_victim(exc)
