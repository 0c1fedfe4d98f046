"""The filters of the record list; none of them asks the database for more than one indexed column."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import connection, connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from backoffice.runs.pages.lists import StaffList
from backoffice.runs.seam import FailedFilter

from . import issue_codes
from .issue_codes import values_of
from .models import YourModel

Records = QuerySet[YourModel]
MAX_COUNTRIES = 300
ANY = "any"


def with_issue(records: Records, code: str) -> Records:
    """Those with an issue of this code: the combinations of codes that have it, each found by one step in the index."""
    # Not LIKE: "_" is a letter of many codes.
    position = "strpos" if connections[records.db].vendor == "postgresql" else "instr"
    combinations = values_of("issue_codes", f"{position}(' ' || value || ' ', %s) > 0")
    return records.filter(issue_codes__in=RawSQL(combinations, [f" {code} "]))  # noqa: S611 - a parameter


class RecordList(StaffList):
    queryset: Records
    result_list: Any

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Backwards through the issues the references go backwards, too: one walk along their index."""
        found: list[str] = super().get_ordering(request, queryset)
        return ["-issue_codes", "-reference"] if found == ["-issue_codes", "reference"] else found

    def get_results(self, request: HttpRequest) -> None:
        self._find_the_rare()
        super().get_results(request)
        self._step_over_pages()

    def _find_the_rare(self) -> None:
        """With one scan: for less than a page of them in the list's order SQLite walks the whole index of that order.

        On a million records that took 14 s.
        """
        if self.has_active_filters or self.query:
            found = list(self.queryset.order_by().values_list("pk", flat=True)[: self.list_per_page + 1])
            if len(found) <= self.list_per_page:
                self.queryset = self.queryset.filter(pk__in=found)

    def _step_over_pages(self) -> None:
        """By the index alone: whole records before page 20,000 took PostgreSQL 2 s to read, their references 0.1 s."""
        if self.page_num > 1:
            references = list(self.result_list.values_list("reference", flat=True))
            page = self.root_queryset.filter(reference__in=references)
            self.result_list = page.order_by(*self.queryset.query.order_by)


class VerdictFilter(admin.SimpleListFilter):
    title = _("verdict")
    parameter_name = "verdict"
    is_indexed = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [*YourModel.Verdict.choices, ("none", _("none yet"))]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        if verdict := self.value():
            return queryset.filter(verdict="" if verdict == "none" else verdict)
        return queryset


class CheckFilter(FailedFilter):
    title = _("last check")


class AcceptedFilter(admin.SimpleListFilter):
    title = _("accepted issues")
    parameter_name = "accepted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("some", _("some")), ("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        if self.value() in ("some", "none"):
            return queryset.filter(accepted__isnull=self.value() == "none")
        return queryset


class CountryFilter(DropdownFilter):
    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        # As typed, so "UK" and "GB" both.
        return [(country, country) for country in countries()]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        return queryset.filter(country=country) if (country := self.value()) else queryset


def countries() -> list[str]:
    """Those there are, each by one step in the index record_country."""
    with connection.cursor() as cursor:
        cursor.execute(values_of("country", "value IS NOT NULL LIMIT %s"), [MAX_COUNTRIES])
        return [country for (country,) in cursor.fetchall()]


class IssueFilter(DropdownFilter):
    title = _("issue")
    parameter_name = "issue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(ANY, _("any issue")), *issue_codes.every()]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        if self.value() == ANY:
            return queryset.filter(issue_codes__gt="")
        return with_issue(queryset, code) if (code := self.value()) else queryset
