"""What a file says about a record."""

from typing import Any

from import_export.fields import Field

from backoffice.exchange.seam import ExchangeResource, Text

from .models import YourModel


class IssueCodes(Text):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return ", ".join(issue["code"] for issue in value)


class RecordResource(ExchangeResource):
    """What staff type is imported; what process() says of it is exported beside it."""

    issues = Field(attribute="issues", widget=IssueCodes(), readonly=True)

    class Meta:
        model = YourModel
        import_id_fields = ("reference",)
        fields = (*YourModel.INPUTS, "verdict", "issues", "rules_version", "processed", "processed_at")
