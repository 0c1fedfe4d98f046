"""A record's runs."""

from typing import Any

from django.contrib.contenttypes.models import ContentType

from .models import Run, RunItem


def of_record(record: Any, limit: int = 20) -> list[RunItem]:
    """The newest items about this record, with their runs. Two indexed questions: the active ones, the finished."""
    record_type = ContentType.objects.get_for_model(record)
    tasks = list(Run.objects.filter(record_type=record_type).order_by().values_list("task_id", flat=True).distinct())
    items = RunItem.objects.filter(record_id=record.pk, task_no__in=tasks).select_related("run__task")
    newest = [
        *items.filter(active=True),
        *items.filter(finished_at__isnull=False).order_by("-run_id")[:limit],
    ]
    return sorted(newest, key=lambda item: -item.run_id)[:limit]
