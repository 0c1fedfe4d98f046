from typing import Any

from huey.contrib.djhuey import db_task

from ..work import get_process_save


@db_task()
def process_model_instance(instance_id: int) -> str:
    return get_process_save(instance_id)


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        process_model_instance(instance_id)
