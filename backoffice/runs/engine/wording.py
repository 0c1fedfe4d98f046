"""A record's error in words that can be stored, whatever the error is."""

import logging
import traceback

from celery.exceptions import SoftTimeLimitExceeded
from django.utils.translation import gettext as _

from backoffice.results import rows
from backoffice.results.values.text import ending, said, storable

from ..change.restore import Moved
from ..models import Run, State
from .ledger import REVOKED, Transition

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


def not_found(transition: Transition, sentence: str, run: Run) -> Transition:
    if run.is_undo:
        return left_alone(transition, Moved(_("Deleted since.")))
    transition.state, transition.row, transition.error = State.FAILURE, None, sentence
    transition.result = {"exc_type": "DoesNotExist", "exc_message": [sentence], "exc_module": "builtins"}
    return transition


def refused(transition: Transition, exc: Exception) -> Transition:
    return left_alone(transition, Moved(_("The database refuses what was there: %(error)s") % {"error": said(exc)}))


def left_alone(transition: Transition, moved: Moved) -> Transition:
    """By an undo: no failure, and nothing to be tried again by itself."""
    transition.state, transition.row, transition.moved = State.REVOKED, None, moved
    transition.outcome, transition.error = _("left alone"), storable(str(moved), ERROR)
    transition.result = {**REVOKED, "exc_message": [transition.error]}
    return transition
