"""What the record's page says about it: input beside normal form beside issues."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import registers
from .checks import codes
from .models import YourModel

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


def issues_in_words(record: YourModel) -> list[str]:
    return [in_a_sentence(issue) for issue in record.open_issues]


def in_a_sentence(issue: dict[str, Any]) -> str:
    """After the field it is about."""
    return f"{capfirst(str(label_of(issue['field'])))}: {issue['message']}"


def main_issue(record: YourModel) -> str:
    """The worst open issue, and how many there are besides."""
    worst = sorted(record.open_issues, key=lambda issue: list(SEVERITIES).index(issue["severity"]))
    if not worst:
        return ""
    words = codes().get(worst[0]["code"], worst[0]["code"])
    more = format_html(' <span class="bo-subtle bo-num">+{}</span>', len(worst) - 1) if worst[1:] else ""
    return format_html('<span title="{}">{}</span>{}', worst[0]["message"], words, more)


def outcome_of(record: YourModel) -> dict[str, Any]:
    """What these records' panels need beside those of any record."""
    return {"lines": lines_of(record)}
