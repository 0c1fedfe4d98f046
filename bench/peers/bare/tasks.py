"""The click: a run and its items as this project writes them, and the word to go."""

import os
from typing import Any

import redis
from django.db import transaction

from backoffice.runs import snapshot, start
from backoffice.runs.models import Run
from records.tasks import process_model_instance


def click(queryset: Any) -> None:
    run = Run(
        task=start.task_name(process_model_instance),
        record_type=start.ContentType.objects.get_for_model(queryset.model),
    )
    with transaction.atomic():
        run.save()
        snapshot.write(run, queryset.order_by(), process_model_instance)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        for part in (0, 1):
            client.rpush(f"go:{part}", run.pk)
