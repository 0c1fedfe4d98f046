"""The record list and the record's page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from backoffice.exchange.seam import ExchangeAdmin
from backoffice.runs.pages.actions import begin
from backoffice.runs.seam import ProcessableAdmin, may_start, run_action
from backoffice.schedules.pages.later_action import later_action

from .exchange import RecordResource
from .filters import CountryFilter, IssueFilter, RecordList, VerdictFilter
from .models import YourModel
from .outcome import outcome_of
from .search import search, search_index

PROCESS, CORRECT = "records.tasks.process_model_instance", "records.tasks.apply_corrections"


def badge(kind: str, text: str) -> str:
    return format_html('<span class="bo-badge bo-badge--{}">{}</span>', kind, text)


@admin.register(YourModel)
class YourModelAdmin(ExchangeAdmin, ProcessableAdmin, ModelAdmin):
    resource_classes = [RecordResource]
    list_display = (
        *("reference", "name", "country", "role"),
        *("verdict_badge", "processed_badge", "issue_count", "processed_when"),
    )
    list_display_links = ("reference", "name")
    list_filter = (VerdictFilter, "processed", "role", CountryFilter, IssueFilter)
    list_filter_submit = True
    list_per_page = 50  # most of the page's time is these rows
    show_full_result_count = False  # one count of a million is enough
    show_facets = admin.ShowFacets.NEVER  # a count per issue code is a scan per issue code
    search_fields = search_index.FIELDS
    search_help_text = _lazy("Reference, name, tax id, e-mail or town")
    ordering = ("reference",)
    fieldsets = (
        (None, {"fields": (("reference", "role"), "name")}),
        (_lazy("Address"), {"fields": ("address", ("postal_code", "town", "country"))}),
        (_lazy("Numbers and contact"), {"fields": (("tax_id", "phone"), ("email", "website"))}),
    )
    change_form_outer_before_template = "records/verdict.html"
    change_form_outer_after_template = "records/outcome.html"

    actions = (
        run_action(PROCESS, "process_selected", _lazy("Process selected records")),
        later_action(PROCESS, "process_later", _lazy("Process selected records later…")),
        run_action(CORRECT, "apply_corrections", _lazy("Apply corrections to selected records")),
        "export_selected",
    )

    class Media:
        css = {"all": ["records/records.css"]}

    @admin.display(description=_lazy("verdict"), ordering="verdict", empty_value="–")
    def verdict_badge(self, record: YourModel) -> str | None:
        return badge(record.verdict, record.get_verdict_display()) if record.verdict else None

    @admin.display(description=_lazy("processed"), ordering="processed")
    def processed_badge(self, record: YourModel) -> str:
        return badge("yes", _("processed")) if record.processed else badge("no", _("not processed"))

    @admin.display(description=_lazy("issues"))
    def issue_count(self, record: YourModel) -> int:
        return len(record.issues)

    @admin.display(description=_lazy("processed at"), ordering="processed_at", empty_value="–")
    def processed_when(self, record: YourModel) -> str | None:
        if record.processed_at is None:
            return None
        return format_html('<span class="bo-num">{}</span>', f"{localtime(record.processed_at):%Y-%m-%d %H:%M}")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[YourModel], search_term: str
    ) -> tuple[QuerySet[YourModel], bool]:
        return search.find(queryset, search_term), False

    # --- The record's page ------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.process_record))
        return [path("<int:pk>/process/", view, name="records_yourmodel_process"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if record is not None and self.has_view_or_change_permission(request, record):
            context |= outcome_of(record, request.user, request.GET.get("before", ""))
            context["may_process"] = may_start(request.user, PROCESS)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def process_record(self, request: HttpRequest, pk: int) -> HttpResponse:
        record = self.get_object(request, str(pk))
        if not self.has_view_permission(request, record) or not may_start(request.user, PROCESS):
            raise PermissionDenied
        if record is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        selection = _("Record %(reference)s") % {"reference": record.reference}
        started = begin(self, request, YourModel.objects.filter(pk=pk), PROCESS, selection)
        return started or redirect("admin:records_yourmodel_change", pk)
