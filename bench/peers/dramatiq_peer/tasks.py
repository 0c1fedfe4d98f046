from typing import Any

import dramatiq

from ..work import get_process_save


@dramatiq.actor
def process_model_instance(instance_id: int) -> None:
    get_process_save(instance_id)


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        process_model_instance.send(instance_id)
