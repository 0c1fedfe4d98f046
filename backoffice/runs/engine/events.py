"""Telling others what happened: at least once, after it was committed, each receiver by itself.

A receiver is a function of one run, of other kinds of events of what these tell about. `on_run_finished` registers it
under its dotted name, when its module is imported: put it into your app's tasks.py, which every process imports. It is
called in a worker of the queue `tasks`, again after an error with growing waits, and once more where the worker died
after the call: it must bear that.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from backoffice.results.values.text import storable

from ..models import Event, Run
from ..registry import record_tasks

logger = logging.getLogger(__name__)

Receiver = Callable[[Any], object]
_receivers: dict[str, dict[str, Receiver]] = {kind: {} for kind in Event.Kind}
LONGEST = 500  # characters of an error that are kept


def on_run_finished(receiver: Receiver) -> Receiver:
    """Call `receiver(run)` for each run that has ended, whatever its state; `run.state` says which."""
    return on(Event.Kind.RUN_FINISHED, receiver)


def on(kind: Event.Kind, receiver: Receiver) -> Receiver:
    """Call `receiver(about)` for each event of this kind."""
    _receivers[kind][f"{receiver.__module__}.{receiver.__qualname__}"] = receiver
    return receiver


def write(kind: Event.Kind, run: Run | None = None, **about: Any) -> None:
    """In the transaction of what happened. `about` is what JSON takes."""
    Event.objects.create(kind=kind, run=run, about=about or None)


def take_due(most: int) -> list[int]:
    """Events to be told now. Each waits longer before it is taken again: whoever got it may have died."""
    taken = []
    for event in Event.objects.due().order_by("due_at", "pk")[:most]:
        again_at = timezone.now() + timedelta(seconds=min(30 * 2**event.attempts, 3600))
        if Event.objects.filter(pk=event.pk, due_at=event.due_at).update(due_at=again_at):
            taken.append(event.pk)
    return taken


def tell(event_id: int) -> None:
    """Tell those who do not know yet. Raises the last error when the others have been told."""
    event = Event.objects.select_related("run__task").filter(pk=event_id).first()
    if event is None:  # told by another message
        return
    Event.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1)  # first: a receiver may end this process
    record_tasks()  # imports every app's tasks.py, where receivers are
    failure: Exception | None = None
    for name, receiver in _receivers[event.kind].items():
        if name in event.told:
            continue
        try:
            receiver(event.run or event.about)
        except Exception as exc:
            failure, words = exc, f"{name}: {type(exc).__name__}: {exc}"
            Event.objects.filter(pk=event.pk).update(error=storable(words, LONGEST))
        else:
            event.told.append(name)
            Event.objects.filter(pk=event.pk).update(told=event.told)
    if failure is None:
        Event.objects.filter(pk=event.pk).delete()
    else:
        raise failure
