"""What a run wants done with its records, asked anew by whoever works on them: its parameters, or what to undo."""

import logging
from collections.abc import Sequence

from celery.exceptions import SoftTimeLimitExceeded

from backoffice.results import outage
from backoffice.results.values import text

from .. import parameters
from ..change import restore
from ..models import Run
from ..registry import Body, RecordTask
from . import broker

logger = logging.getLogger(__name__)


def of_run(task: RecordTask, run: Run, ids: Sequence[int]) -> tuple[RecordTask, Body] | None:
    """The task as the run wants it done with these records, and its body. None where the form refuses: the run is
    cancelled, with its sentence."""
    if run.is_undo:
        taking_back = restore.of_run(task, run, ids).task
        return taking_back, taking_back.body  # our own: nobody's mistakes are guarded against
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
