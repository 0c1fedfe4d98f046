"""Whose schedules a list shows: the staff's, planned runs, the system's."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask

from ..rules import permitted

STAFF, PLANNED, SYSTEM = "staff", "planned", "system"


class KindFilter(admin.SimpleListFilter):
    """System schedules and planned runs apart. Planned runs that have started are left out unless asked for."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(STAFF, _("schedules")), (PLANNED, _("planned runs")), (SYSTEM, _("system schedules"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> QuerySet[PeriodicTask]:
        if self.value() == PLANNED:
            return queryset.filter(task=permitted.START_DUE)
        if self.value() == SYSTEM:
            return queryset.filter(task__in=permitted.system_names())
        if self.value() == STAFF:
            return queryset.exclude(task__in=[*permitted.system_names(), permitted.START_DUE])
        return queryset.exclude(task=permitted.START_DUE, enabled=False)
