"""What every admin is made with, beside the theme's ModelAdmin: lists that keep their filters, edits that are seen,
deletes of any number, records whose edits are logged."""

from typing import Any

from django import forms

from .deleting import DeletesAll
from .edits import SeenEdits
from .lists import StaffLists
from .record_edits import RecordEdits

# Django gives them to every page: 60 KB by which one field fills another.
OF_PREPOPULATED = ("/xregexp/xregexp.js", "/xregexp/xregexp.min.js", "/urlify.js", "/prepopulate.js")


class StaffAdmin(StaffLists, RecordEdits, SeenEdits, DeletesAll):
    """Stands before ModelAdmin."""

    @property
    def media(self) -> forms.Media:
        found: Any = super().media  # type: ignore[misc]
        ours = ["runs/unsaved.js"]
        if any(each.prepopulated_fields for each in (self, *self.inlines)):  # type: ignore[attr-defined]
            return forms.Media(css=found._css, js=[*found._js, *ours])
        kept = [file for file in found._js if not str(file).endswith(OF_PREPOPULATED)]
        return forms.Media(css=found._css, js=[*kept, *ours])
