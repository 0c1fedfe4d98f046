"""A comparison's life: asked for by a person, taken by one worker, ended with what it found or with why it did not."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.queues import TASKS
from backoffice.results import activity
from backoffice.results.values.text import said, storable
from backoffice.runs.doctor.compare import look, recent, since
from backoffice.runs.doctor.findings import Drift, Survey
from backoffice.runs.engine.broker import UNREACHABLE

from ..audit.retention import kept
from ..models import Comparison

logger = logging.getLogger(__name__)

TASK = "backoffice.desk.tasks.compare_ledger"
SILENT = timedelta(minutes=1)  # without a word; a worker that is at it says one every second
EVERY = 1.0  # seconds
KEPT = 100  # comparisons; the activity log keeps what each found
ERROR = 1_000  # characters


class CalledOff(Exception):
    """Another comparison was asked for in place of this one, from which nobody had heard."""


def ask(by: Any) -> bool:
    """Have a worker compare. False: one is at it, or was asked already."""
    call_off_silent()
    try:
        with transaction.atomic():
            made = Comparison.objects.create(asked_by=storable(activity.name_of(by), 150))
            activity.log(by, "comparison.asked", made)
    except IntegrityError:
        return False
    Comparison.objects.filter(open=None, pk__lte=made.pk - KEPT).delete()
    transaction.on_commit(lambda: send(made.pk))
    return True


def call_off_silent() -> None:
    silent = Comparison.objects.filter(open=True, heard_at__lt=timezone.now() - SILENT).first()
    if silent:
        end(silent.pk, error=no_word_of(silent))


def no_word_of(silent: Comparison) -> str:
    if silent.started_at is None:
        return _("No worker took it: see whether one serves the queue “%s”.") % TASKS
    return _("Its worker was not heard of any more.")


def send(pk: int) -> None:
    """Into the queue of plain calls, not that of the sweep: where a day's runs are of millions it takes minutes."""
    try:
        current_app.send_task(TASK, (pk,), queue=TASKS, ignore_result=True, retry=False)
    except UNREACHABLE as exc:
        logger.warning("The broker did not take comparison %s: %s", pk, exc)
        end(pk, error=_("The broker took no message: see Health on the desk."))


def compare(pk: int) -> None:
    """By the one worker that takes it. Raises what kept it from its end, once that is noted."""
    now, keeps = timezone.now(), kept()
    expected = recent(keeps).aggregate(n=Sum("total"))["n"] or 0
    taken = {"started_at": now, "heard_at": now, "since": since(keeps), "expected": expected}
    if not Comparison.objects.filter(pk=pk, open=True, started_at=None).update(**taken):
        return  # called off, or a message that came twice
    survey = Survey(kept=keeps, watch=told_every_second(pk))
    try:
        look(survey)
    except CalledOff:
        logger.warning("Comparison %s was called off.", pk)
    except Exception as exc:
        end(pk, survey, error=in_words(exc))
        raise
    else:
        end(pk, survey)


def told_every_second(pk: int) -> Callable[[Drift], None]:
    last = time.monotonic()

    def tell(drift: Drift) -> None:
        nonlocal last
        if time.monotonic() - last < EVERY:
            return
        last = time.monotonic()
        told = {"heard_at": timezone.now(), "counts": drift.as_dict()}
        if not Comparison.objects.filter(pk=pk, open=True).update(**told):
            raise CalledOff

    return tell


def in_words(exc: Exception) -> str:
    if isinstance(exc, SoftTimeLimitExceeded):
        return _("It took longer than a task may. Ask on the machine: manage.py doctor")
    return storable(f"{type(exc).__name__}: {said(exc)}", ERROR)


def end(pk: int, survey: Survey | None = None, error: str = "") -> None:
    told: dict[str, Any] = {"open": None, "finished_at": timezone.now(), "error": error}
    if survey:
        told |= {"counts": survey.drift.as_dict(), "differences": survey.found}
    with transaction.atomic():
        if Comparison.objects.filter(pk=pk, open=True).update(**told):
            found = {name: number for name, number in told.get("counts", {}).items() if number}
            activity.log(None, "comparison.ended", Comparison(pk=pk), error=error, **found)
