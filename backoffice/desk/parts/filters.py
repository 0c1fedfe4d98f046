"""Filters that ask no DISTINCT and no COUNT: their choices are known beforehand."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from celery import current_app, states
from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from backoffice.runs import labels
from backoffice.runs.models import Run, state_label

Rows = QuerySet[Any]
STATES = ("PROGRESS", *sorted(states.ALL_STATES))
SLACK = 20_000  # ids: rows that were inserted at about the same time may be numbered in another order


@cache
def known_tasks() -> Any:
    """The registry of tasks, filled: a web process has not imported every module of tasks."""
    current_app.loader.import_default_modules()
    return current_app.tasks


class StateFilter(DropdownFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice for a word: a task's PROGRESS is in progress, as STARTED is."""
        return list({state_label(state): (state, state_label(state)) for state in STATES}.values())

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        alike = [state for state in STATES if state_label(state) == state_label(self.value() or "")]
        return rows.filter(status__in=alike or [self.value()]) if self.value() else rows


class TaskFilter(DropdownFilter):
    """The tasks this project has, not those found in a million rows."""

    title, parameter_name = _("task"), "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = {name for name in known_tasks() if not name.startswith("celery.")}
        names |= {value for value in [request.GET.get("task")] if value}
        return labels.choices(names)

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        return rows.filter(task_name=self.value()) if self.value() else rows


class WorkerFilter(TextFilter):
    title, parameter_name = _("worker"), "worker"

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        return rows.filter(worker__icontains=clean(self.value())) if self.value() else rows


def runs_of_rows() -> QuerySet[Run]:
    """The run whose uid begins a row's task id: one step in the index on uid."""
    return Run.objects.filter(uid=Substr(OuterRef("task_id"), 1, 32))


class SourceFilter(DropdownFilter):
    title, parameter_name = _("source"), "source"
    DIRECT = "direct"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Run.Source.choices, (self.DIRECT, _("direct"))]

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        value = self.value()
        if not value:
            return rows
        if value == self.DIRECT:
            return rows.filter(~Exists(runs_of_rows()), periodic_task_name=None)
        match = Q(Exists(runs_of_rows().filter(source=value)))
        if value == Run.Source.SCHEDULE:
            match |= ~Exists(runs_of_rows()) & Q(periodic_task_name__isnull=False)
        return rows.filter(match)


class RequesterFilter(TextFilter):
    title, parameter_name = _("requester"), "requester"

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        if not self.value():
            return rows
        return rows.filter(Exists(runs_of_rows().filter(requester_name=clean(self.value()))))


class DayForm(forms.Form):
    DAYS = [("today", _("Today")), ("week", _("Past 7 days"))]

    day = forms.ChoiceField(
        label=_("By day"), required=False, choices=[("", _("Any day")), *DAYS], widget=UnfoldAdminSelectWidget
    )
    since = forms.CharField(
        label=_("From day"), required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    until = forms.CharField(
        label=_("To day, inclusive"), required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )


class DayFilter(admin.SimpleListFilter):
    """Today, the past week, or from one day to another. A range on the column, so that an index can serve it."""

    title, parameter_name = _("day"), "day"
    template = "unfold/filters/filters_field.html"
    field = created = "date_done"
    NAMES = ("day", "since", "until")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.NAMES[1:]:
            if value := params.pop(name, None):
                self.used_parameters[name] = value[-1]
        self.top: int | None = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return DayForm.DAYS

    def expected_parameters(self) -> list[str | None]:
        return list(self.NAMES)

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"form": DayForm(data={name: self.used_parameters.get(name, "") for name in self.NAMES})}

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        first, last = self.days()
        if first:
            rows = rows.filter(**{f"{self.field}__gte": start_of(first)})
        if last:
            end = start_of(last + timedelta(days=1))
            self.top = self.first_id_after(rows, end)
            rows = rows.filter(**{f"{self.field}__lt": end})
        return rows

    def days(self) -> tuple[date | None, date | None]:
        today, chosen = timezone.localdate(), str(self.used_parameters.get("day", ""))
        first, last = day_of(self.used_parameters.get("since")), day_of(self.used_parameters.get("until"))
        begins = {"today": today, "week": today - timedelta(days=6)}.get(chosen)
        return max((day for day in (first, begins) if day), default=None), last

    def first_id_after(self, rows: Rows, end: datetime) -> int | None:
        """What ended before a moment was created before it: the ids above need no look."""
        created = rows.model._default_manager.filter(**{f"{self.created}__lt": end}).order_by(f"-{self.created}")
        newest = created.values_list("pk", flat=True).first()
        return newest + SLACK if newest is not None else 0


class ResultDayFilter(DayFilter):
    created = "date_created"


class ActivityDayFilter(DayFilter):
    field = created = "at"


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware at once


def day_of(text: Any) -> date | None:
    """A day, or None for what is none; the edges of the calendar have no day after them."""
    try:
        day = parse_date(str(text or ""))
    except ValueError:
        return None
    return day if day and date(1970, 1, 1) <= day <= date(9000, 1, 1) else None


def clean(text: Any) -> str:
    return str(text or "").replace("\x00", "").strip()
