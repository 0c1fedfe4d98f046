"""The forms of import and export."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.forms import ConfirmImportForm
from unfold.contrib.import_export.forms import ImportForm as UnfoldImportForm
from unfold.contrib.import_export.forms import SelectableFieldsExportForm

from backoffice.runs.change.shown import label_of

from .files.formats import MAX_BYTES

MAX_CHOSEN = 10_000


class ImportForm(UnfoldImportForm):
    def clean_import_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["import_file"]
        FileExtensionValidator(["csv", "xlsx"])(file)
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(
                _("The file has %(size).1f MB; at most %(max)d MB are taken. Split it.")
                % {"size": (file.size or 0) / 2**20, "max": MAX_BYTES // 2**20}
            )
        return file


class ConfirmForm(ConfirmImportForm):
    format = forms.ChoiceField(choices=[("0", "csv"), ("1", "xlsx")], widget=forms.HiddenInput)

    def clean_resource(self) -> str:
        return "0"


class Numbers(forms.CharField):
    """Many ids in one hidden field: a field each would break Django's limit of 1,000."""

    widget = forms.HiddenInput

    def prepare_value(self, value: list[int] | str | None) -> str | None:
        return ",".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: str | None) -> list[int]:
        try:
            numbers = [int(each) for each in (value or "").split(",") if each]
        except ValueError:
            raise forms.ValidationError(_("The selection is not readable: select again in the list.")) from None
        if len(numbers) > MAX_CHOSEN:
            raise forms.ValidationError(_("Select at most %(max)d one by one, or all of them.") % {"max": MAX_CHOSEN})
        return [number for number in numbers if 0 < number < 2**63]


class ExportForm(SelectableFieldsExportForm):
    export_items = Numbers(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("format", "0")

    def _get_field_label(self, resource: Any, field_name: str) -> str:
        """The library's has capitals of its own: as pages say it, where a column is a field of the model."""
        field = resource.fields[field_name]
        model = resource._meta.model if field.attribute == field_name else None
        title = label_of(model, field_name) if model else capfirst(field_name.replace("_", " "))
        return title if field.column_name == field_name else f"{title} ({field.column_name})"

    @property
    def chosen(self) -> list[int]:
        """The records picked one by one; none means all that the filter shows."""
        value = self.cleaned_data.get("export_items", []) if self.is_bound else self.initial.get("export_items", [])
        return list(value)
