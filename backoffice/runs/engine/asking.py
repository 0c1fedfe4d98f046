"""The parameters of a run, asked anew by whoever works on it: what they name may have changed."""

import logging
from collections.abc import Mapping
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from backoffice.results import outage
from backoffice.results.values import text

from .. import parameters
from ..models import Run
from ..registry import RecordTask
from . import broker

logger = logging.getLogger(__name__)


def cleaned(task: RecordTask, run: Run) -> Mapping[str, Any] | None:
    """What the function is called with. None where the form refuses: the run is cancelled, with its sentence."""
    if task.parameters is None:
        return {}
    try:
        return parameters.clean(task, run.parameters)
    except parameters.BadParameters as exc:
        broker.call_off(run, text.storable(str(exc), 1_000))
    except Exception as exc:  # the form's own mistake: the same for each record
        if isinstance(exc, SoftTimeLimitExceeded) or outage.is_outage(exc):
            raise
        logger.exception("The form of run %s failed.", run.pk)
        broker.call_off(run, text.storable(f"{type(exc).__name__}: {text.said(exc)}", 1_000))
    return None
