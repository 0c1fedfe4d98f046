"""What a file says about a record."""

from typing import Any

from import_export.fields import Field

from backoffice.exchange.seam import ExchangeResource, Text

from .models import YourModel
from .outcome import in_a_sentence


class IssueCodes(Text):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(issue["code"] for issue in value)


class IssuesInWords(Text):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "; ".join(map(in_a_sentence, value))


class AcceptedIssues(Text):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "; ".join(in_words(code, said) for code, said in sorted((value or {}).items()))


def in_words(code: str, said: dict[str, str]) -> str:
    """tax_id.unrecognised: seen in the register (anna, 2026-11-27, https://example.com/1)"""
    link = [said["link"]] if said["link"] else []
    return f"{code}: {said['reason']} ({', '.join([said['by'], said['at'][:10], *link])})"


class RecordResource(ExchangeResource):
    """What staff type is imported; what process() says of it is exported beside it."""

    issues = Field(attribute="issues", widget=IssueCodes(), readonly=True)

    issues_in_words = Field(attribute="issues", column_name="issues_in_words", widget=IssuesInWords(), readonly=True)

    accepted = Field(attribute="accepted", widget=AcceptedIssues(), readonly=True)

    class Meta:
        model = YourModel
        import_id_fields = ("reference",)
        fields = (
            *YourModel.INPUTS,
            "verdict",
            "issues",
            "issues_in_words",
            "accepted",
            "rules_version",
            "processed",
            "processed_at",
        )
