"""All firings of all schedules, newest first: what was due when, what was sent, and why not."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.runs.access import may_see
from backoffice.runs.models import sees_schedules
from backoffice.runs.pages.staff import StaffAdmin

from ..models import Firing
from ..rules import words


@admin.register(Firing)
class FiringAdmin(StaffAdmin, ModelAdmin):
    list_display = ("called", "due", "state_badge", "late", "by", "what_came_of_it")
    list_filter = ("state", "due_at")
    search_fields = ("schedule_name",)
    list_select_related = ("run",)
    list_per_page = 50
    empty_value_display = ""
    show_full_result_count = False
    sortable_by = ()
    fields = readonly_fields = (
        "schedule", "called", "due_at", "fired_at", "sent_at", "late", "state", "attempts", "times", "by",
        "task_id", "run", "note", "reason",
    )  # fmt: skip

    @display(description=_("schedule"))
    def called(self, firing: Firing) -> str:
        return words.called(firing.schedule_name)

    @display(description=_("due"))
    def due(self, firing: Firing) -> str:
        return words.clock(firing.due_at)

    @display(description=_("late"))
    def late(self, firing: Firing) -> str:
        return format_html('<span class="bo-num">{}</span>', firing.late_in_words) if firing.sent_at else ""

    @display(description=_("state"))
    def state_badge(self, firing: Firing) -> str:
        return render_to_string("backoffice/badge.html", {"state": firing.badge, "label": firing.get_state_display()})

    @display(description=_("what came of it"))
    def what_came_of_it(self, firing: Firing) -> str:
        return firing.note or firing.reason

    @display(description=_("run"))
    def run_in_words(self, firing: Firing) -> str:
        return str(firing.run or "")

    def get_fields(self, request: HttpRequest, obj: Firing | None = None) -> list[str]:
        """Schedule and run are links: for whoever may not open them, words."""
        words_for = {}
        if not sees_schedules(request.user):
            words_for["schedule"] = ""
        if obj is not None and obj.run is not None and not may_see(request.user, obj.run):
            words_for["run"] = "run_in_words"
        return [name for name in (words_for.get(name, name) for name in self.fields) if name]

    get_readonly_fields = get_fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.run_view))
        return [path("<int:pk>/run/", view, name="schedules_firing_run"), *super().get_urls()]

    def run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To the run that came of it, or else to what is known of it: on the schedule's page."""
        if not sees_schedules(request.user):
            raise PermissionDenied
        firing = self.get_object(request, str(pk))
        if firing is None or firing.schedule_id is None:
            raise Http404(_("This firing is no longer kept, or its schedule was deleted."))
        if firing.run and may_see(request.user, firing.run):
            return redirect("admin:runs_run_change", firing.run.pk)
        history = reverse("admin:django_celery_beat_periodictask_change", args=[firing.schedule_id])
        return redirect(f"{history}#firings")

    class Media:
        css = {"all": ["schedules/schedules.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission
