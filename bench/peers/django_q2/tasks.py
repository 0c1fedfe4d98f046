from typing import Any

from django_q.tasks import async_task

from ..work import get_process_save


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        async_task(get_process_save, instance_id)
