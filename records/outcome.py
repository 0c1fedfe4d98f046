"""What the record's page says of each field, beside it: its issues, and its normal form."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from backoffice.runs.seam import Note

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
class Issue(Note):
    code: str = ""
    accepted: Accepted | None = None
    pages: tuple[registers.Page, ...] = ()

    @property
    def form_id(self) -> str:
        """Of the form, outside of the record's own, that accepts it or takes that back."""
        return f"issue-{self.code.replace('.', '-')}"


def label_of(field: str) -> Any:
    return YourModel._meta.get_field(field).verbose_name  # type: ignore[union-attr]


def issue_of(record: YourModel, issue: dict[str, Any]) -> Issue:
    said, stands = (record.accepted or {}).get(issue["code"]), getattr(record, issue["field"])
    return Issue(
        issue["message"],
        SEVERITIES[issue["severity"]],
        issue["severity"],
        issue.get("suggestion"),
        issue.get("value"),
        is_old=issue.get("value", stands) != stands,
        code=issue["code"],
        accepted=Accepted(said["by"], said["reason"], parse_datetime(said["at"]), said["link"]) if said else None,
        pages=tuple(registers.pages(issue["field"], record.normalised)),
    )


def notes_of(record: YourModel) -> dict[str, list[Note]]:
    """The issues of each field; and its normal form, where that is another text of now and no issue suggests it."""
    found: dict[str, list[Note]] = defaultdict(list)
    for issue in record.issues:
        found[issue["field"]].append(issue_of(record, issue))
    for field, normal in record.normalised.items() if record.processed else ():
        if normal and normal != getattr(record, field) and normal not in (note.suggestion for note in found[field]):
            found[field].append(Note(_("In normal form: %(value)s") % {"value": normal}))
    return {field: notes for field, notes in found.items() if notes}


def told_issues(issues: list[dict[str, Any]]) -> str:
    return " ".join(map(in_a_sentence, issues))


def told_accepted(accepted: dict[str, dict[str, Any]]) -> str:
    """“Phone: spelling (by anna: as on the invoice)”"""
    known = codes()
    return "; ".join(
        _("%(issue)s (by %(by)s: %(reason)s)") % {"issue": known.get(code, code), **said}
        for code, said in accepted.items()
    )


def told_normalised(normal: dict[str, str]) -> str:
    return ", ".join(f"{capfirst(str(label_of(field)))}: {text or '–'}" for field, text in normal.items())


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
