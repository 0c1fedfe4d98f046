"""Schedules in the admin: beat's tables, under a form a person can fill and that lets nothing bad through."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Prefetch, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_celery_beat.models import PeriodicTask
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.runs.pages.actions import list_buttons
from backoffice.runs.pages.staff import StaffAdmin

from .. import access, enabling
from ..beat import configured
from ..beat.fire import run_now
from ..form import choosing, preview
from ..form.dates import date_choices, span_choices
from ..form.form_values import crontab_parts
from ..form.forms import ScheduleForm
from ..form.record_list import schedule_this_filter, url_of, use_this_filter
from ..models import ScheduleState, last_fired
from ..rules import permitted, timing, words
from . import firing_admin, history, now, status, timing_admin
from .choose import choose
from .confirm import confirmed, number_of, started, that
from .kinds import KindFilter
from .later_action import later_action

__all__ = ["ScheduleAdmin", "firing_admin", "later_action", "timing_admin"]

admin.site.unregister(PeriodicTask)
list_buttons.extend([schedule_this_filter, use_this_filter])


@admin.register(PeriodicTask)
class ScheduleAdmin(StaffAdmin, ModelAdmin):
    form = ScheduleForm
    list_display = ("called", "what", "when", "next_due", "last_run", "state_badge")
    list_filter = (KindFilter, "enabled")
    list_select_related = ("interval", "solar", "clocked", "state")
    list_per_page = 50
    search_fields = ("name", "description", "task")
    sortable_by = ("called", "last_run")
    actions = ("run_selected", "enable_selected", "disable_selected")
    list_before_template = "schedules/configured.html"
    change_form_outer_before_template = "schedules/standing.html"
    change_form_after_template = "schedules/preview.html"
    change_form_outer_after_template = "schedules/history.html"
    fieldsets = (
        (None, {"fields": ("name", "work", "selection", "only_needed", "parameters", "arguments", "enabled")}),
        (gettext_lazy("When"), {"fields": ("when", ("every", "period"), ("crontab_text", "zone"), "at", "one_off")}),
        (gettext_lazy("Missed and still running"), {"fields": (("missed", "overlap"),), "classes": ("collapse",)}),
        (
            gettext_lazy("More"),
            {
                "fields": (
                    "description",
                    ("start_time", "expires"),
                    ("queue", "priority"),
                    "expire_seconds",
                ),
                "classes": ("collapse",),
            },
        ),
    )

    # For those who may look and not change: in words, not as fields.
    to_read = ("called", "what", "when", "if_missed", "if_running", "what_for", "not_before", "not_after")

    class Media:
        css = {"all": ["runs/confirm.css", "schedules/schedules.css"]}
        js = ["schedules/form.js", "schedules/now.js", "runs/ticks.js"]

    # --- the list ---------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        remarks = configured.remarks(request.user) if request.method == "GET" else []
        return super().changelist_view(request, {
            "title": _("Schedules"), "remarks": remarks, "beat_away": status.is_beat_away(), **(extra_context or {})
        })  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        system, planned = (
            When(task__in=permitted.system_names(), then=Value(2)),
            When(task=permitted.START_DUE, then=Value(1)),
        )
        section = Case(system, planned, default=Value(0))
        rows = self.model._default_manager.annotate(section=section, last_fired=last_fired())
        # Not select_related: a crontab whose time zone Django cannot load would break the page for all the others.
        return rows.prefetch_related(Prefetch("crontab", timing_admin.readable_crontabs()))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("section", "name")

    @display(description=gettext_lazy("name"), ordering="name")
    def called(self, schedule: PeriodicTask) -> str:
        return words.called(schedule.name)

    @display(description=gettext_lazy("what"))
    def what(self, schedule: PeriodicTask) -> str:
        return words.what(schedule)

    @display(description=gettext_lazy("when"))
    def when(self, schedule: PeriodicTask) -> str:
        return words.when(schedule)

    @display(description=gettext_lazy("next due"))
    def next_due(self, schedule: PeriodicTask) -> str:
        due = timing.next_due_or_none(schedule, timezone.now()) if schedule.enabled else None
        return render_to_string("schedules/next_due.html", {"due": words.clock(due)}) if due else ""

    @display(description=gettext_lazy("last run"), ordering="last_fired")
    def last_run(self, schedule: Any) -> str:
        return words.clock(schedule.last_fired) if schedule.last_fired else ""

    @display(description=gettext_lazy("state"))
    def state_badge(self, schedule: PeriodicTask) -> str:
        kind, label = status.badge(schedule)
        system = _("system") if access.is_system(schedule) else ""
        values = {"kind": kind, "label": label, "system": system, "reason": status.reason_off(schedule)}
        return render_to_string("schedules/state.html", values)

    @display(description=gettext_lazy("if missed"))
    def if_missed(self, schedule: PeriodicTask) -> str:
        return getattr(schedule, "state", ScheduleState()).get_missed_display()

    @display(description=gettext_lazy("if still running"))
    def if_running(self, schedule: PeriodicTask) -> str:
        return getattr(schedule, "state", ScheduleState()).get_overlap_display()

    @display(description=gettext_lazy("what it is for"))
    def what_for(self, schedule: PeriodicTask) -> str:
        return schedule.description or _("nobody has said")

    @display(description=gettext_lazy("not before"))
    def not_before(self, schedule: PeriodicTask) -> str:
        return words.clock(schedule.start_time) if schedule.start_time else _("no bound")

    @display(description=gettext_lazy("not after"))
    def not_after(self, schedule: PeriodicTask) -> str:
        return words.clock(schedule.expires) if schedule.expires else _("no bound")

    # --- who may what -----------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or access.may_change(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or access.may_delete(request.user, obj))

    # --- actions ----------------------------------------------------------------------------------------------------

    @admin.action(description=gettext_lazy("Run now"), permissions=["change"])
    def run_selected(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> HttpResponse | None:
        return confirmed(self, request, queryset, _("Run now"), run_now, started, now.matching)

    @admin.action(description=gettext_lazy("Turn on"), permissions=["change"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> HttpResponse | None:
        told = number_of(_("%(n)d turned on."), _("Turned on: %(name)s."))
        return confirmed(self, request, queryset, _("Turn on"), that(enabling.enable), told)

    @admin.action(description=gettext_lazy("Turn off"), permissions=["change"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> HttpResponse | None:
        told = number_of(_("%(n)d turned off."), _("Turned off: %(name)s."))
        return confirmed(self, request, queryset, _("Turn off"), that(enabling.turn_off), told)

    # --- the form ---------------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: PeriodicTask | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": self.to_read}),)
        return super().get_fieldsets(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ScheduleForm]:
        form = super().get_form(request, obj, change, **kwargs)
        known = request.__dict__.setdefault("selections_looked_at", {})
        return type("ScheduleForm", (form,), {"user": request.user, "looked_at": known})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        take = self.admin_site.admin_view(require_POST(self.take_view))
        return [
            path("preview/", view, name="schedules_preview"),
            path("inputs/", self.admin_site.admin_view(self.inputs_view), name="schedules_inputs"),
            path("configured/", take, name="schedules_configured"),
            path("choose/", self.admin_site.admin_view(self.choose_view), name="schedules_choose"),
            path("<int:pk>/now/", self.admin_site.admin_view(self.now_view), name="schedules_now"),
            *super().get_urls(),
        ]

    def take_view(self, request: HttpRequest) -> HttpResponse:
        """Put one schedule back to what CELERY_BEAT_SCHEDULE says."""
        with transaction.atomic():
            if not configured.take(request.POST.get("name", ""), request.user):
                raise PermissionDenied
        self.message_user(request, _("“%(name)s” is as in the code now.") % {"name": request.POST["name"]})
        return redirect("admin:django_celery_beat_periodictask_changelist")

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            return JsonResponse({}, status=403)
        form_class = type("ScheduleForm", (ScheduleForm,), {"user": request.user})
        schedule = self.get_object(request, request.GET["of"]) if "of" in request.GET else None
        if schedule is not None and not self.has_change_permission(request, schedule):
            return JsonResponse({}, status=403)
        return JsonResponse(preview.of_form(form_class(request.POST, instance=schedule)))

    def now_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What Run now would do, for the page that asks in place."""
        schedule = self.get_object(request, str(pk))
        if schedule is None or not self.has_change_permission(request, schedule):
            return JsonResponse({}, status=403)
        return JsonResponse(now.asked(schedule, request.user))

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        return choose(self, request)

    def inputs_view(self, request: HttpRequest) -> HttpResponse:
        """What a task asks for, as the form has it once the task is chosen."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        form = self.get_form(request)(initial={"work": request.GET.get("work", "")})
        return HttpResponse(f"{form['parameters']}{form.fields['parameters'].widget.media}")

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        choices = {"crontab_parts": crontab_parts(), "dates": date_choices(request.user), "spans": span_choices()}
        context = {**(extra_context or {}), **choices, "beat_away": status.is_beat_away()}
        if request.method == "POST":
            self.look_at_selection(request, object_id)
        return super().changeform_view(request, object_id, form_url, context)

    def look_at_selection(self, request: HttpRequest, object_id: str | None) -> None:
        """Before the transaction, which holds the row, and all of SQLite: the form inside knows what was found."""
        schedule = self.get_object(request, unquote(object_id)) if object_id else None
        allowed = (
            self.has_change_permission(request, schedule)
            if schedule
            else not object_id and self.has_add_permission(request)
        )
        if allowed:
            self.get_form(request, schedule, change=schedule is not None)(request.POST, instance=schedule).is_valid()

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        context = kwargs.pop("extra_context", None) or {}
        schedule = self.get_object(request, object_id)
        if schedule is not None:
            context |= history.of(schedule) | {"records_url": url_of(schedule, request.user)}
        return super().change_view(request, object_id, *args, extra_context=context, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """With the filter that comes from the list: after what is stored was marked as seen."""
        response, form = super().render_change_form(request, context, *args, **kwargs), context["adminform"].form
        if kwargs.get("change") and request.method == "GET" and choosing.PICKED in request.GET:
            form.initial["selection"] = choosing.end(request)
            messages.info(request, _("This is the filter of the list. It counts when it is saved."))
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The schedule's own page tells its changes, beat's among them; Django's log knows only those of this form."""
        return redirect(f"{reverse('admin:django_celery_beat_periodictask_change', args=[object_id])}#changes")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Without the rows that belong to a schedule and that nobody knows apart from it."""
        _tree, _counts, forbidden, protected = super().get_deleted_objects(objs, request)
        names = [schedule.name for schedule in objs]
        return names, {self.opts.verbose_name_plural: len(names)}, forbidden, protected

    def delete_model(self, request: HttpRequest, obj: PeriodicTask) -> None:
        enabling.log(request.user, "schedule.deleted", obj.pk, obj.name)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        for schedule in queryset:
            self.delete_model(request, schedule)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's log tells no change where there was none."""
        return super().log_change(request, obj, message) if message else None

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: ScheduleForm, change: bool) -> None:
        with transaction.atomic():
            history.save_with_log(obj, form, change, request.user)
