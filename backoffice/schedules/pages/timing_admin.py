"""The tables in which beat keeps its timings. The schedule's own form fills them; here they can be seen."""

from datetime import timedelta
from typing import Any

import django_celery_beat.admin  # noqa: F401 - registers what is unregistered below
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from backoffice.results import activity
from backoffice.runs.pages.staff import StaffAdmin

from .. import access, enabling
from ..form.fields import MomentField, zones
from ..form.form_changes import OnlyChanges
from ..form.form_timing import SHORTEST
from ..rules import verify, words

TIMINGS = (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)
for timing_model in TIMINGS:
    admin.site.unregister(timing_model)


def readable_crontabs() -> "QuerySet[CrontabSchedule]":
    """Those whose time zone exists; another can only have come by SQL, and Django cannot load it."""
    return CrontabSchedule.objects.annotate(zone=Cast("timezone", CharField())).filter(zone__in=zones())


class UsedByInline(TabularInline):
    model = PeriodicTask
    fields = readonly_fields = ("name", "enabled", "last_run_at")
    extra = 0
    show_change_link = True
    verbose_name = verbose_name_plural = gettext_lazy("schedules that use it")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class TimingForm(OnlyChanges, forms.ModelForm):
    """Refuses what beat could not use, by the same check as the scheduler's."""

    kind = ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.keep_untouched(data)
        if self.errors:
            return data
        schedule = PeriodicTask(name="check")
        timing = self._meta.model(pk=-1, **{name: data[name] for name in self._meta.fields or () if name in data})
        setattr(schedule, self.kind, timing)
        try:
            verify.verify_timing(schedule)
        except verify.BadSchedule as error:
            raise ValidationError(str(error)) from error
        return data


class IntervalForm(TimingForm):
    kind = "interval"

    class Meta:
        model = IntervalSchedule
        fields = ("every", "period")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.errors or not self.touched:
            return data
        used = list(self.instance.periodictask_set.all()) if self.instance.pk else []
        is_machines = bool(used) and all(map(access.is_system, used))
        if not is_machines and timedelta(**{data["period"]: data["every"]}) < SHORTEST:
            message = _("The shortest interval is %(n)d seconds.") % {"n": SHORTEST.total_seconds()}
            raise ValidationError(message)
        return data


class CrontabForm(TimingForm):
    kind = "crontab"

    class Meta:
        model = CrontabSchedule
        fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")


class SolarForm(TimingForm):
    kind = "solar"

    class Meta:
        model = SolarSchedule
        fields = ("event", "latitude", "longitude")


class ClockedForm(TimingForm):
    kind = "clocked"
    clocked_time = MomentField(label=gettext_lazy("Date and time"))

    class Meta:
        model = ClockedSchedule
        fields = ("clocked_time",)

    def clean_clocked_time(self) -> Any:
        if self.cleaned_data["clocked_time"] <= timezone.now():
            raise ValidationError(_("This time has passed. Choose a later one."))
        return self.cleaned_data["clocked_time"]


class TimingAdmin(StaffAdmin, ModelAdmin):
    list_display = ("in_words",)
    inlines = (UsedByInline,)

    @display(description=gettext_lazy("in words"))
    def in_words(self, timing: Model) -> str:
        return words.when_by(self.form.kind, timing)

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Who can only look comes from a schedule: the lists of all applications do without it."""
        found = super().get_model_perms(request)
        return found if found["add"] or found["change"] else dict.fromkeys(found, False)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_unused(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_unused(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """One entry for each schedule that is due at other times from now on: its page tells its own changes."""
        used = list(obj.periodictask_set.select_for_update(of=("self",)).order_by("pk")) if change else []
        was = words.when_by(self.form.kind, type(obj)._default_manager.get(pk=obj.pk)) if used else ""
        super().save_model(request, obj, form, change)
        now = words.when_by(self.form.kind, obj)
        for schedule in used if was != now else ():
            enabling.log(request.user, "schedule.changed", schedule.pk, schedule.name, changes={"when": [was, now]})
        PeriodicTasks.update_changed()

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, obj, message) if message else None

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The database would delete the schedules with it: Django's page names them, and deletes nothing."""
        found, counts, forbidden, _protected = super().get_deleted_objects(objs, request)
        using = PeriodicTask.objects.filter(**{f"{self.form.kind}__in": [obj.pk for obj in objs]}).order_by("name")
        in_use = [_("the schedule “%(name)s” uses it: give it another timing first") % {"name": r.name} for r in using]
        return found, counts, forbidden, in_use

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, self.model._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Once more: a schedule may have been saved between the page and the click. Locked, none can be any more."""
        with transaction.atomic():
            for timing in queryset.select_for_update():
                if not timing.periodictask_set.exists():
                    activity.log(request.user, "timing.deleted", timing)
                    timing.delete()

    def is_unused(self, request: HttpRequest, obj: Any) -> bool:
        """A timing is changed for every schedule that uses it, so one must be allowed to change them all."""
        return obj is None or all(access.holds(request.user, schedule) for schedule in obj.periodictask_set.all())


admin.site.register(IntervalSchedule, TimingAdmin, form=IntervalForm)
admin.site.register(CrontabSchedule, TimingAdmin, form=CrontabForm)
admin.site.register(SolarSchedule, TimingAdmin, form=SolarForm)
admin.site.register(ClockedSchedule, TimingAdmin, form=ClockedForm)
