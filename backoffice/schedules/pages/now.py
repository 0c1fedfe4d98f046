"""What Run now would do, told before it is done."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from django_celery_beat.models import PeriodicTask

from ..form import preview
from .confirm import mark_of


def matching(schedules: Iterable[PeriodicTask], user: Any) -> Iterator[str]:
    """Of each how many records match now; nothing of the last of many, when counting has taken as long as one may."""
    deadline = time.monotonic() + preview.COUNTING
    for schedule in schedules:
        yield preview.matching(schedule, user) if time.monotonic() < deadline else ""


def asked(schedule: PeriodicTask, user: Any) -> dict[str, str]:
    return {"matching": preview.matching(schedule, user), "asked": mark_of([schedule])}
