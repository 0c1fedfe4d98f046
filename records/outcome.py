"""What the record's page says about it: input beside normal form beside issues, corrections, look-alikes."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from . import registers
from .checks import duplicate_candidates
from .checks.duplicates import Candidate
from .models import YourModel

CANDIDATES = 200
SHOWN_DUPLICATES = 5
PREFIX = 3
SEVERITIES = {"error": _("error"), "warning": _("warning"), "info": _("info")}


@dataclass(frozen=True, slots=True)
class Accepted:
    """That it is right as it is."""

    by: str
    reason: str
    at: datetime | None
    link: str


@dataclass(frozen=True, slots=True)
class Issue:
    severity: str
    severity_label: Any
    code: str
    message: str
    suggestion: str | None
    accepted: Accepted | None
    pages: list[registers.Page]


@dataclass(frozen=True, slots=True)
class Line:
    """One field: what was typed, what became of it, what is wrong with it."""

    label: Any
    value: str
    normal: str | None
    issues: list[Issue]

    @property
    def is_same(self) -> bool:
        return self.normal == self.value


@dataclass(frozen=True, slots=True)
class Correction:
    label: Any
    before: str
    after: str
    at: datetime | None


def label_of(field: str) -> Any:
    return YourModel._meta.get_field(field).verbose_name  # type: ignore[union-attr]


def issue_of(record: YourModel, issue: dict[str, Any]) -> Issue:
    severity, said = issue["severity"], (record.accepted or {}).get(issue["code"])
    return Issue(
        severity, SEVERITIES[severity], issue["code"], issue["message"], issue.get("suggestion"),
        Accepted(said["by"], said["reason"], parse_datetime(said["at"]), said["link"]) if said else None,
        registers.pages(issue["field"], record.normalised),
    )  # fmt: skip


def lines_of(record: YourModel) -> list[Line]:
    issues: dict[str, list[Issue]] = defaultdict(list)
    for issue in record.issues:
        issues[issue["field"]].append(issue_of(record, issue))
    return [
        Line(label_of(field), getattr(record, field), record.normalised.get(field), issues[field])
        for field in record.INPUTS
    ]


def corrections_of(record: YourModel) -> list[Correction]:
    """Newest first."""
    return [
        Correction(label_of(each["field"]), each["before"], each["after"], parse_datetime(each["at"]))
        for each in reversed(record.corrections)
    ]


def duplicates_of(record: YourModel) -> list[Candidate]:
    """Records that may be the same partner, among a bounded number found by index: same tax id, or country and name."""
    others = YourModel.objects.exclude(pk=record.pk).values_list("pk", "name", "town")
    by_number = others.none()
    if record.tax_id:
        by_number = others.filter(tax_id=record.tax_id).exclude(tax_id="")
    prefix = record.name[:PREFIX]
    # A range and not LIKE: only a range uses the index on both databases.
    by_name = others.filter(country=record.country, name__gte=prefix, name__lt=f"{prefix}\uffff")
    rows = {row[0]: row for row in chain(by_number.order_by("pk")[:CANDIDATES], by_name.order_by("name")[:CANDIDATES])}
    return duplicate_candidates(record.name, record.town, rows.values(), limit=SHOWN_DUPLICATES)


def outcome_of(record: YourModel) -> dict[str, Any]:
    """What these records' panels need beside those of any record."""
    return {"lines": lines_of(record), "corrections": corrections_of(record), "duplicates": duplicates_of(record)}
