"""Search for task results: by exact task id, by a run's uid, or by what a record is called."""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, Model, Q, QuerySet
from django_celery_results.models import TaskResult

from backoffice.runs import ids
from backoffice.runs.models import Processable, RunItem, TaskName
from backoffice.runs.pages.numbers import row_number

from ..audit.origin import may_view

MOST_RECORDS = 20
MOST_ITEMS = 200
RUN_UID = re.compile(r"[0-9a-f]{32}")


def task_results(rows: QuerySet[TaskResult], term: str, user: Any) -> QuerySet[TaskResult]:
    term = term.strip().replace("\x00", "")
    if RUN_UID.fullmatch(term):
        return rows.filter(Q(task_id=term) | Q(task_id__startswith=f"{term}-"))
    return rows.filter(task_id__in=[term, *item_task_ids(term, user)])


def item_task_ids(term: str, user: Any) -> list[str]:
    """The task ids of the newest items about the records that the term names exactly."""
    return [task_id for model, ids in records_called(term, user) for task_id in task_ids_about(model, ids)]


def records_called(term: str, user: Any) -> Iterator[tuple[type[Model], list[int]]]:
    """By any unique text field, such as a reference, or by number; of the kinds this person may see."""
    for model in apps.get_models():
        if not issubclass(model, Processable) or not may_view(user, model):
            continue
        names = Q() if (number := row_number(term)) is None else Q(pk=number)
        for field in model._meta.concrete_fields:
            if field.unique and isinstance(field, CharField):
                # Not __iexact, which reads the whole table.
                names |= Q(**{f"{field.name}__in": [term, term.upper(), term.lower()]})
        if names and (ids := list(model._default_manager.filter(names).values_list("pk", flat=True)[:MOST_RECORDS])):
            yield model, ids


def task_ids_about(model: type[Model], record_ids: list[int]) -> Iterator[str]:
    kind = ContentType.objects.get_for_model(model)
    items = RunItem.objects.filter(record_id__in=record_ids, run__record_type=kind).order_by("-run_id")
    # Two questions, because each has an index of its own: what has ended, and what is still active.
    tasks = list(TaskName.objects.values_list("pk", flat=True))
    for found in (items.filter(finished_at__isnull=False), items.filter(active=True, task_no__in=tasks)):
        for uid, record_id in found.values_list("run__uid", "record_id")[:MOST_ITEMS]:
            yield ids.item_task_id(uid, record_id)
