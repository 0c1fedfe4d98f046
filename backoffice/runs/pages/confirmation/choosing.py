"""How a row of another table is chosen on a page: from a list while that is short, then by searching, or by number."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext as _

LISTED = 100  # rows


def shorten(form: forms.Form, *, by_search: bool = False) -> None:
    """No list of a million. A form may say by `model_fields` of which foreign keys its fields are: those may be
    searched for, as in the admin."""
    sources = getattr(form, "model_fields", {}) if by_search else {}
    for name, field in form.fields.items():
        if type(field.widget) is forms.Select and _is_long(field):
            field.widget = _without_list(field, sources.get(name))
            field.widget.is_required = field.required


def _is_long(field: Any) -> bool:
    rows = getattr(field, "queryset", None)
    return rows is not None and rows.order_by().values("pk")[LISTED : LISTED + 1].exists()


def _without_list(field: Any, source: Any) -> forms.Widget:
    related = admin.site._registry.get(field.queryset.model)
    if source is not None and related is not None and related.search_fields:
        return AutocompleteSelect(source, admin.site, choices=field.choices)
    if not field.help_text:
        own = field.queryset.model._meta
        named = own.get_field(field.to_field_name) if field.to_field_name not in (None, own.pk.name) else None
        told = {"name": named.verbose_name if named else _("number"), "row": own.verbose_name}
        field.help_text = _("The %(name)s of a %(row)s.") % told
    return forms.TextInput()
