"""The parameters of a run, asked anew by whoever works on it: what they name may have changed."""

import logging

from celery.exceptions import SoftTimeLimitExceeded

from backoffice.results import outage
from backoffice.results.values import text

from .. import parameters
from ..models import Run
from ..registry import Body, RecordTask
from . import broker

logger = logging.getLogger(__name__)


def of_run(task: RecordTask, run: Run) -> tuple[RecordTask, Body] | None:
    """The task as the run wants it done, and its body. None where the form refuses: the run is cancelled, with its
    sentence."""
    try:
        asked, cleaned = task.as_asked(run.parameters)
        return asked, asked.guarded({**cleaned, **asked.told(run)})
    except parameters.BadParameters as exc:
        broker.call_off(run, text.storable(str(exc), 1_000))
    except Exception as exc:  # the form's own mistake: the same for each record
        if isinstance(exc, SoftTimeLimitExceeded) or outage.is_outage(exc):
            raise
        logger.exception("The form of run %s failed.", run.pk)
        broker.call_off(run, text.storable(f"{type(exc).__name__}: {text.said(exc)}", 1_000))
    return None
