from typing import Any

import django_rq

from ..work import get_process_save


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        django_rq.enqueue(get_process_save, instance_id)
