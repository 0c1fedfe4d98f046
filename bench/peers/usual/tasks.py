"""The task that guides write: get, work, save; and an action that calls `.delay(id)` for each record."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.usual.settings")
app = Celery("usual")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task
def process_model_instance(instance_id: int) -> str:
    from records.models import YourModel

    try:
        instance = YourModel.objects.get(pk=instance_id)
    except YourModel.DoesNotExist:
        return f"Instance {instance_id} not found."
    instance.process()
    instance.save()
    return f"Processed instance {instance_id}"


def click(queryset: Any) -> None:
    for instance_id in queryset.values_list("pk", flat=True):
        process_model_instance.delay(instance_id)
