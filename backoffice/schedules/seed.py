"""The schedules a new installation starts with, from fixtures/schedules.json. Written once and never overwritten.

The file is not one of Django's fixtures: `loaddata` would write over what staff have changed.
"""

import json
from pathlib import Path
from typing import Any

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from .models import Seeded

TIMINGS = {"interval": IntervalSchedule, "crontab": CrontabSchedule}


def seed(file: Path) -> list[str]:
    """Write what this installation has not been given yet; returns the names of what was written."""
    entries = json.loads(file.read_text()) if file.exists() else []
    return [entry["name"] for entry in entries if write(dict(entry))]


def write(entry: dict[str, Any]) -> bool:
    """One schedule. A system one is written again if it was removed; any other is staff's once it was written."""
    system = entry.pop("system", False)
    with transaction.atomic():
        if not first_time(entry.pop("key")) and not system:
            return False
        if system and PeriodicTask.objects.filter(task=entry["task"]).exists():
            return False
        for kind in TIMINGS.keys() & entry.keys():
            entry[kind] = timing(kind, entry[kind])
        entry["kwargs"] = json.dumps(entry.get("kwargs", {}))
        return bool(PeriodicTask.objects.get_or_create(name=entry.pop("name"), defaults=entry)[1])


def timing(kind: str, values: dict[str, Any]) -> Any:
    model = TIMINGS[kind]
    return model.objects.filter(**values).first() or model.objects.create(**values)


def first_time(key: str) -> bool:
    return bool(Seeded.objects.get_or_create(key=key)[1])
