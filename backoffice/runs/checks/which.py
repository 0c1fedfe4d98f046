"""Of what a record task says of the records it is for, and of the tasks it includes."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db.models import Q

from ..registry import RecordTask, find, record_tasks


@register("runs")
def conditions(**_kwargs: Any) -> list[CheckMessage]:
    """A condition is a Q of fields that its records have."""
    asked = ((name, task, option) for name, task in sorted(record_tasks().items()) for option in ("eligible", "needs"))
    return [
        Error(f"{name} has {told}", hint="Give a Q of the record's fields, as Q(processed=False).", id="runs.E025")
        for name, task, option in asked
        if (told := _misfit(task, option))
    ]


def _misfit(task: RecordTask, option: str) -> str:
    condition = getattr(task, option)
    if condition is None:
        return ""
    if not isinstance(condition, Q):
        return f"the {option} {condition!r}, which is no Q."
    if option == "needs" and not condition:
        return "the needs Q(), which is true of every record: leave it out."
    try:
        str(task.record_model._base_manager.filter(condition).query)
    except LookupError:  # its model is not there: that is said of the task
        return ""
    except Exception as error:
        return f"the {option} {condition!r}, by which nothing can be found: {error}"
    return ""


@register("runs")
def included(**_kwargs: Any) -> list[CheckMessage]:
    """A task includes tasks that are there."""
    asked = ((name, other) for name, task in sorted(record_tasks().items()) for other in task.includes)
    return [
        Error(f"{name} includes {other!r}. {told}", hint="Name a record task.", id="runs.E026")
        for name, other in asked
        if (told := _unknown(other))
    ]


def _unknown(name: str) -> str:
    try:
        find(name)
    except LookupError as error:
        return str(error)
    return ""
