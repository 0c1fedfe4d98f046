"""The record list and the record's page."""

import re
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _lazy
from unfold.admin import ModelAdmin

from backoffice.exchange.seam import ExchangeAdmin
from backoffice.runs.seam import DuplicateFilter, ProcessableAdmin, run_action
from backoffice.schedules.pages.later_action import later_action

from .checks import codes
from .exchange import RecordResource
from .filters import AcceptedFilter, CheckFilter, CountryFilter, IssueFilter, RecordList, VerdictFilter
from .models import YourModel, with_accepted
from .outcome import issues_in_words, main_issue, notes_of, told_accepted, told_issues, told_normalised
from .search import search, search_index

PROCESS, CORRECT = "records.tasks.process_model_instance", "records.tasks.apply_corrections"
BOTH = "records.tasks.apply_and_check"
ACCEPT, WITHDRAW = "records.tasks.accept_issues", "records.tasks.withdraw_acceptance"
EDIT = "records.tasks.edit_yourmodel"
CODE = re.compile(r"\b[a-z_]+\.[a-z_.]+\b")  # of an issue


@admin.register(YourModel)
class YourModelAdmin(ExchangeAdmin, ProcessableAdmin, ModelAdmin):
    resource_classes = [RecordResource]
    check_task = PROCESS
    list_display = (
        *("reference", "name", "country", "role"),
        *("outcome_badge", "main_issue", "possible_duplicates", "processed_when"),
    )
    list_display_links = ("reference", "name")
    list_filter = (
        *(VerdictFilter, CheckFilter, "processed", "role", CountryFilter),
        *(IssueFilter, AcceptedFilter, DuplicateFilter),
    )
    named_filters = (
        (_lazy("To review"), "verdict=review"),
        (_lazy("Correctable"), "verdict=corrected"),
        (_lazy("Invalid"), "verdict=invalid"),
        (_lazy("Not checked"), "processed__exact=0"),
        (_lazy("Last check failed"), "last=failed"),
        (_lazy("Possible duplicates"), "duplicates=open"),
    )
    list_per_page = 50  # most of the page's time is these rows
    show_full_result_count = False  # one count of a million is enough
    show_facets = admin.ShowFacets.NEVER  # a count per issue code is a scan per issue code
    search_fields = search_index.FIELDS
    search_help_text = _lazy("Reference, name, tax ID, e-mail, town, phone")
    ordering = ("reference",)
    fieldsets = (
        (None, {"fields": (("reference", "role"), "name")}),
        (_lazy("Address"), {"fields": ("address", ("postal_code", "town", "country"))}),
        (_lazy("Numbers and contact"), {"fields": (("tax_id", "phone"), ("email", "website"))}),
    )
    outcome_field = "verdict"
    outcome_colours = {"valid": "good", "corrected": "hint", "review": "warning", "invalid": "bad"}  # noqa: RUF012
    value_words = {"issues": told_issues, "accepted": told_accepted, "normalised": told_normalised}  # noqa: RUF012
    outdated_words, failed_words = _lazy("not checked yet"), _lazy("last check failed")
    likeness_words = {"spelling": _lazy("name and town")}  # noqa: RUF012
    save_and_run_words = _lazy("Save and check")
    record_facts = "records/facts.html"
    record_panels = ("records/acceptance_forms.html",)
    record_note = "records/note.html"

    actions = (
        run_action(PROCESS, "process_selected", _lazy("Process selected records")),
        later_action(PROCESS, "process_later", _lazy("Process selected records later…")),
        run_action(CORRECT, "apply_corrections", _lazy("Apply corrections to selected records")),
        run_action(BOTH, "apply_and_check", _lazy("Apply corrections and check selected records")),
        run_action(ACCEPT, "accept_issues", _lazy("Accept issues of selected records…")),
        run_action(WITHDRAW, "withdraw_acceptance", _lazy("Withdraw acceptance from selected records…")),
        run_action(EDIT, "edit_selected", _lazy("Change fields of selected records…")),
        "export_selected",
    )
    buttons_elsewhere = ("accept_issues", "withdraw_acceptance")

    class Media:
        css = {"all": ["records/records.css"]}

    @admin.display(description=_lazy("issue"), ordering="issue_codes", empty_value="–")
    def main_issue(self, record: YourModel) -> str | None:
        """The worst of the open ones, and how many more. None, a dash, of what was never checked, or was edited since,
        or whose last check failed."""
        return main_issue(record) if self.is_current(record) else None

    def outcome_of(self, record: YourModel) -> Any:
        found = super().outcome_of(record)
        return found and replace(found, word=str(with_accepted(found.word, len(record.accepted or ()))))

    def check_words(self, record: YourModel, outcome: Any) -> list[str]:
        return issues_in_words(record)

    def outcome_detail(self, detail: str) -> str:
        labels = codes()
        return CODE.sub(lambda match: labels.get(match[0], match[0]), detail)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[YourModel], search_term: str
    ) -> tuple[QuerySet[YourModel], bool]:
        return search.find(queryset, search_term), False

    def notes_of(self, record: YourModel) -> Any:
        return notes_of(record)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            may = self.tasks_at_once(request)
            context["may_accept"] = "accept_issues" in may and obj.processed
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
