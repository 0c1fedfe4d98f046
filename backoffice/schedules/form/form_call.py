"""The half of the schedule form that says what is called: from what is filled in to beat's columns."""

import json
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask

from ..rules import permitted
from ..rules.permitted import loads
from .form_values import RECORDS


class FillsCall:
    """For the form: it has the fields of a call, and what Django's forms have."""

    add_error: Any
    fields: Any
    instance: Any
    is_bound: Any
    data: Any
    initial: Any
    touched: Any

    def fields_of_call(self, data: dict[str, Any]) -> set[str]:
        on_records = str(data.get("work")).startswith(RECORDS)
        return {"work", *(("selection", "only_needed", "parameters") if on_records else ("arguments",))}

    def set_inputs(self) -> None:
        """Of what the task that is chosen right now asks for."""
        field, initial = self.fields.get("parameters"), self.initial
        if field is None or "work" not in self.fields:
            return
        work = str((self.data if self.is_bound else initial).get("work") or "")
        stored = (str(initial.get("work") or ""), initial.get("parameters") or {}) if self.instance.pk else ()
        field.ask(
            work if is_offered(work, self.fields["work"].choices) else "", self.data if self.is_bound else None, *stored
        )

    def fill_call(self, schedule: PeriodicTask, data: dict[str, Any]) -> None:
        work = data.get("work") or ""
        if work.startswith(RECORDS):
            self.fill_run(schedule, work.removeprefix(RECORDS), data)
            return
        try:
            given = read_arguments(data.get("arguments") or "")
        except ValueError as error:
            given = self.add_error("arguments", str(error)) or {}
        positional = given if isinstance(given, list) else []
        schedule.task, schedule.args = work, json.dumps(positional)
        schedule.kwargs = json.dumps({} if isinstance(given, list) else given)

    def fill_run(self, schedule: PeriodicTask, task: str, data: dict[str, Any]) -> None:
        same = schedule.task == permitted.START_RUN and "selection" not in self.touched
        was = loads(schedule.kwargs, {}) if same else {}
        kept = {name: was[name] for name in ("filter", "selection") if was.get(name)}
        chosen = {"selection": data["selection"]} if data.get("selection") and not kept else kept
        asked = {"parameters": given} if (given := data.get("parameters")) else {}
        schedule.task, schedule.args = permitted.START_RUN, "[]"
        needed = {"only_needed": True} if data.get("only_needed") else {}
        schedule.kwargs = json.dumps({"task": task, **chosen, **needed, **asked})

    def mend(self, schedule: PeriodicTask) -> None:
        """What has no field here and would keep it from firing."""
        schedule.exchange = schedule.routing_key = None
        if not isinstance(loads(schedule.headers, None), dict):
            schedule.headers = "{}"


def read_arguments(text: str) -> Any:
    """A mapping or a list. Raises ValueError with a sentence."""
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(_("This is not JSON: %(error)s.") % {"error": error}) from error
    if isinstance(given, dict | list):
        return given
    raise ValueError(_('Write {"name": value} or [value, value].'))


def is_offered(value: str, choices: Iterable[Any]) -> bool:
    """Also in a group of them."""
    groups = ((name, sub) if isinstance(sub, list | tuple) else (name, [(name, sub)]) for name, sub in choices)
    return any(value == choice for _name, sub in groups for choice, _label in sub)
