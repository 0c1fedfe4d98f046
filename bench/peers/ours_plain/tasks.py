from typing import Any

from records.tasks import process_model_instance


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        process_model_instance.delay(instance_id)
