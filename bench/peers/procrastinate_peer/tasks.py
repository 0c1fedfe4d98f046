from typing import Any

from procrastinate.contrib.django import app

from ..work import get_process_save


@app.task
def process_model_instance(instance_id: int) -> str:
    return get_process_save(instance_id)


def click(queryset: Any) -> None:
    ids = queryset.values_list("pk", flat=True)
    process_model_instance.batch_defer(*({"instance_id": instance_id} for instance_id in ids))
