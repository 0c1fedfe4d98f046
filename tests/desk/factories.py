"""Rows the desk looks at, written directly: what writes them in earnest is tested elsewhere."""

import json
import uuid
from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_celery_results.models import GroupResult, TaskResult

from backoffice.runs.models import Run, RunItem, State, TaskName, Worker
from records.models import YourModel

_numbers = count(1)


def run(**fields: Any) -> Run:
    task, _made = TaskName.objects.get_or_create(name="records.tasks.process_model_instance")
    defaults = {
        "task": task,
        "record_type": ContentType.objects.get_for_model(YourModel),
        "state": State.STARTED,
        "activated_at": timezone.now(),
        "total": 10,
    }
    if requester := fields.get("requester"):
        defaults["requester_name"] = requester.get_username()
    return Run.objects.create(**(defaults | fields))


def result(status: str = "SUCCESS", **fields: Any) -> TaskResult:
    number = next(_numbers)
    defaults = {
        "task_id": str(uuid.uuid4()),
        "task_name": "records.tasks.add",
        "task_args": "[1, 2]",
        "task_kwargs": "{}",
        "status": status,
        "worker": "celery@test",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "result": json.dumps(number),
        "date_started": timezone.now(),
    }
    return TaskResult.objects.create(**(defaults | fields))


def failure(message: str, **fields: Any) -> TaskResult:
    error = {"exc_type": "ValueError", "exc_message": [message], "exc_module": "builtins"}
    return result(
        "FAILURE", **({"result": json.dumps(error), "traceback": f"Traceback\nValueError: {message}"} | fields)
    )


def item_result(of: Run, record: YourModel, status: str = "SUCCESS", **fields: Any) -> TaskResult:
    """The task result of one record of a run, and its line in the ledger."""
    RunItem.objects.create(
        run=of, record_id=record.pk, task_no=of.task_id, state=status, active=False, finished_at=timezone.now()
    )
    return result(status, task_id=of.item_task_id(record.pk), task_name=of.task.name, **fields)


def group_result(**fields: Any) -> GroupResult:
    defaults = {"group_id": str(uuid.uuid4()), "content_type": "application/json", "content_encoding": "utf-8"}
    return GroupResult.objects.create(**(defaults | {"result": "[]"} | fields))


def worker(queues: str = "records,control,tasks", seconds_ago: int = 0, **fields: Any) -> Worker:
    seen = timezone.now() - timedelta(seconds=seconds_ago)
    return Worker.objects.create(
        **({"name": f"celery@{next(_numbers)}", "queues": queues, "concurrency": 2, "seen_at": seen} | fields)
    )


def beat(seconds_ago: int = 0) -> Worker:
    return worker("", seconds_ago, kind=Worker.Kind.BEAT)
