"""Records whose last check failed: what they say of themselves is of the time before.

A check is a record task that gives the record its outcome. Its failure stands as any other does.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.results import activity

from ..models import RunItem, TaskName
from ..registry import RecordTask, record_tasks
from . import standing

MARK = "_last_failure"  # of a record in a list


def checks(model: type[Model], outcome_field: str = "") -> list[RecordTask]:
    """Those that write the outcome, if it has a field, else all; of them those that set `processed` and no field that
    people edit, if there are any."""
    label = activity.label_of(model)
    tasks = [task for task in record_tasks().values() if task.model_label.lower() == label and not task.by_hand]
    named = [task for task in tasks if outcome_field in task.writes] if outcome_field else tasks
    setting = [task for task in named if "processed" in task.writes]
    return [task for task in setting if not writes_inputs(model, task)] or setting or named


def writes_inputs(model: type[Model], task: RecordTask) -> bool:
    return any(model._meta.get_field(name).editable for name in task.writes)


def failures(tasks: Iterable[RecordTask], record_ids: Iterable[int]) -> QuerySet[RunItem]:
    """That stand, the newest first."""
    return standing.of_records(numbers(tasks), record_ids)


def numbers(tasks: Iterable[RecordTask]) -> Any:
    return TaskName.objects.filter(name__in=[task.name for task in tasks]).values("pk")


def mark(records: Iterable[Any], tasks: list[RecordTask]) -> None:
    """Give each of a page of records its failure: one question."""
    by_id = {record.pk: record for record in records}
    if not by_id or not tasks:
        return
    for item in failures(tasks, by_id):
        if not hasattr(by_id[item.record_id], MARK):
            setattr(by_id[item.record_id], MARK, item)


def has_failed(record: Any) -> bool:
    """Whether a record of a list's page is one whose last run failed."""
    return hasattr(record, MARK)


class FailedFilter(admin.SimpleListFilter):
    """For the list of any record: those whose last run failed. Named in a `list_filter`."""

    title = _("last run")
    parameter_name = "last"
    named = (_("Last run failed"), "failed")

    def __init__(self, request: HttpRequest, params: Any, model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.tasks = checks(model, getattr(model_admin, "outcome_field", ""))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "failed":
            return queryset
        failed = standing.of_tasks(task.name for task in self.tasks)
        return queryset.filter(pk__in=failed.values("record_id"))
