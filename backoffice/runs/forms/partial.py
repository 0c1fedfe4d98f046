"""A form that lets people choose what they fill in."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext as _


class Partial(forms.Form):
    """Of its fields those count that are given: by name, or on a page, which sends all of them, by a tick."""

    is_partial = True
    use_required_attribute = False
    tick_classes = ""  # of a page's ticks
    ticked: Collection[str] | None = None

    @property
    def given(self) -> list[str]:
        if self.ticked is not None:
            return [name for name in self.fields if name in self.ticked]
        return [name for name, field in self.fields.items() if self._is_there(name, field.widget)]

    def full_clean(self) -> None:
        every = self.fields
        self.fields = {name: every[name] for name in self.given}
        try:
            super().full_clean()
        finally:
            self.fields = every

    def clean(self) -> dict[str, Any] | None:
        if not self.fields:
            raise forms.ValidationError(_("Choose at least one field."))
        return super().clean()

    def _is_there(self, name: str, widget: forms.Widget) -> bool:
        of_page = self.add_prefix(name)
        several = isinstance(widget, forms.MultiWidget)
        return of_page in self.data or several and not widget.value_omitted_from_data(self.data, self.files, of_page)
