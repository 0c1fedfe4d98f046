"""The filters of the record list; none of them asks the database for more than one indexed column."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from .checks import codes
from .models import YourModel

Records = QuerySet[YourModel]
MAX_COUNTRIES = 300


class HasIssue(Func):
    """Whether a JSON list of issues has one with this code. SQLite only; PostgreSQL has an operator for it."""

    output_field = BooleanField()

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        issues, code = self.get_source_expressions()
        issues_sql, issues_params = compiler.compile(issues)
        code_sql, code_params = compiler.compile(code)
        found = f"json_each({issues_sql}) WHERE json_extract(value, '$.code') = {code_sql}"
        return f"EXISTS (SELECT 1 FROM {found})", (*issues_params, *code_params)  # noqa: S608 - compiled parts


def with_issue(records: Records, code: str) -> Records:
    if connections[records.db].features.supports_json_field_contains:
        return records.filter(issues__contains=[{"code": code}])
    return records.filter(HasIssue(F("issues"), Value(code)))


class VerdictFilter(admin.SimpleListFilter):
    title = _("verdict")
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [*YourModel.Verdict.choices, ("none", _("none yet"))]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        if verdict := self.value():
            return queryset.filter(verdict="" if verdict == "none" else verdict)
        return queryset


class CountryFilter(DropdownFilter):
    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        # As typed, so "UK" and "GB" both. The index record_country answers it.
        countries = YourModel.objects.exclude(country="").values_list("country", flat=True).order_by("country")
        return [(country, country) for country in countries.distinct()[:MAX_COUNTRIES]]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        return queryset.filter(country=country) if (country := self.value()) else queryset


class IssueFilter(DropdownFilter):
    title = _("issue")
    parameter_name = "issue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The checks' own labels, "Phone: spelling", under a heading per field."""
        labels = [(code, *label.split(": ", 1)) for code, label in codes().items()]
        return [
            (field, [(code, f"{field}: {label}") for code, _, label in group])
            for field, group in groupby(labels, key=lambda each: each[1])
        ]

    def queryset(self, request: HttpRequest, queryset: Records) -> Records:
        return with_issue(queryset, code) if (code := self.value()) else queryset
