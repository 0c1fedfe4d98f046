"""What the tasks ask for."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import issue_codes
from .models import YourModel
from .outcome import SEVERITIES, label_of

LONGEST = 500
NOTHING = _("Choose at least one.")


class CorrectionsForm(forms.Form):
    fields = forms.MultipleChoiceField(  # type: ignore[assignment]
        label=_("Fields to correct"),
        choices=[(field, capfirst(label_of(field))) for field in YourModel.INPUTS],
        initial=YourModel.INPUTS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": NOTHING},
    )
    severities = forms.MultipleChoiceField(
        label=_("Issues to correct"),
        choices=[(severity, capfirst(label)) for severity, label in SEVERITIES.items()],
        initial=tuple(SEVERITIES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": NOTHING},
    )

    def writes(self) -> list[str]:
        """The chosen fields, and that the record waits to be processed again."""
        return [*self.cleaned_data["fields"], "processed"]


class CorrectAndCheckForm(CorrectionsForm):
    def writes(self) -> list[str]:
        """The chosen fields, and what the check finds."""
        return [*self.cleaned_data["fields"], *YourModel.RESULTS]


class CodesField(forms.MultipleChoiceField):
    """Codes of issues. Any may be given; a page offers those that records have now."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, offered: Callable[[], issue_codes.Groups], **options: Any) -> None:
        super().__init__(choices=issue_codes.every(), **options)
        self.widget.choices = lambda: issue_codes.headed(offered())  # type: ignore[assignment]  # asked when shown

    def offer(self, groups: issue_codes.Groups, asked: str | None) -> None:
        """These; with the one that the list was filtered by ticked."""
        self.widget.choices = issue_codes.headed(groups)
        self.initial = [code for _field, codes in groups for code, _label in codes if code == asked]


class AcceptForm(forms.Form):
    codes = CodesField(issue_codes.open_ones, label=_("Issues"), error_messages={"required": NOTHING})
    link = forms.URLField(
        label=_("Evidence"),
        required=False,
        max_length=LONGEST,
        assume_scheme="https",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("The address of what it was compared with: an invoice, an entry of a register. May be left empty."),
    )

    def offer(self, records: Any, query: Mapping[str, str]) -> None:
        """What is open in these records of a list."""
        self.fields["codes"].offer(issue_codes.open_in(records), query.get("issue"))  # type: ignore[attr-defined]


class WithdrawForm(forms.Form):
    codes = CodesField(
        issue_codes.accepted_ones, label=_("Accepted issues"), required=False, help_text=_("None chosen: all of them.")
    )

    def offer(self, records: Any, query: Mapping[str, str]) -> None:
        """What is accepted in these records of a list."""
        self.fields["codes"].offer(issue_codes.accepted_in(records), query.get("issue"))  # type: ignore[attr-defined]
