"""What the tasks ask for."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from . import issue_codes

LONGEST = 500


class CodesField(forms.MultipleChoiceField):
    """Codes of issues. Any may be given; a page offers those that records have now."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, offered: Callable[[], issue_codes.Groups], **options: Any) -> None:
        super().__init__(choices=issue_codes.every(), **options)
        self.widget.choices = offered  # type: ignore[assignment]  # asked when shown


class AcceptForm(forms.Form):
    codes = CodesField(issue_codes.open_ones, label=_("Issues"))
    link = forms.URLField(
        label=_("Evidence"),
        required=False,
        max_length=LONGEST,
        assume_scheme="https",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text=_("The address of what it was compared with: an invoice, an entry of a register. May be left empty."),
    )


class WithdrawForm(forms.Form):
    codes = CodesField(
        issue_codes.accepted_ones, label=_("Accepted issues"), required=False, help_text=_("None chosen: all of them.")
    )
