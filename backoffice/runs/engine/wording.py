"""A record's error in words that can be stored, whatever the error is."""

import logging
import traceback

from celery.exceptions import SoftTimeLimitExceeded

from backoffice.results import rows
from backoffice.results.values.text import ending, said, storable

from .ledger import Transition

logger = logging.getLogger(__name__)

ERROR, TRACEBACK = 2_000, 20_000  # characters kept
LAST_WORD = "The record's error could not be stored; the worker's log has it."


def tell(transition: Transition, exc: BaseException) -> None:
    try:
        transition.error = storable(f"{type(exc).__name__}: {said(exc)}", ERROR)
        transition.result = rows.error(exc)
        transition.traceback = ending("".join(traceback.format_exception(exc)), TRACEBACK)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        logger.exception("Record %s failed with an error that has no words.", transition.record_id)
        tell_nothing(transition)


def tell_nothing(transition: Transition) -> None:
    """In words of our own: the error's could not be had, or not be stored."""
    transition.error, transition.traceback = LAST_WORD, None
    transition.result = {"exc_type": "Exception", "exc_message": [LAST_WORD], "exc_module": "builtins"}
