"""Every filter is a field of one form, applied by one button: Django's are links, each of which reads the list anew."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget

LINK_FILTER = "admin/filter.html"
FIELD = "unfold/filters/filters_field.html"
APPLIED = "_applied"  # the name of the button: without what was left empty the address says only what is asked


class ChoiceForm(forms.Form):
    """One filter as a list of choices."""

    def __init__(self, name: str, label: str, choices: list[tuple[str, str]], chosen: str) -> None:
        super().__init__(data={name: chosen})
        widget = UnfoldAdminSelectWidget()
        self.fields[name] = forms.ChoiceField(label=label, required=False, choices=choices, widget=widget)


def as_field(spec: Any, changelist: Any) -> None:
    """Make a filter of links a field, where each of its choices gives one and the same name a value."""
    if spec.template != LINK_FILTER or getattr(spec, "horizontal", False):
        return
    links = list(spec.choices(changelist))
    asked = [asked_by(link, spec) for link in links]
    names = {name for query in asked for name in query}
    given = [value for name in names for value in changelist.filter_params.get(name, ())]
    if len(names) != 1 or len(given) > 1:
        return
    [name] = names
    choices = [(query.get(name, ""), str(link["display"])) for query, link in zip(asked, links, strict=True)]
    chosen = next(iter(given), "")
    # a form would send another value in its place
    choices += [] if chosen in dict(choices) else [(chosen, chosen)]
    label = _("By %(filter)s") % {"filter": spec.title}
    spec.template, spec.choices = FIELD, lambda _list: iter([{"form": ChoiceForm(name, label, choices, chosen)}])


def asked_by(link: Any, spec: Any) -> dict[str, str]:
    """What one choice of a filter of links asks for."""
    query = parse_qsl(link["query_string"].removeprefix("?"), keep_blank_values=True)
    return {name: value for name, value in query if name in spec.expected_parameters()}


def fields_of(spec: Any, changelist: Any) -> Iterator[Any]:
    """The fields by which a filter asks; none of one that is links."""
    if spec.template != LINK_FILTER:
        for choice in spec.choices(changelist):
            yield from choice.get("form", ())


def applied(query: QueryDict) -> str:
    """The address that the form of filters leads to."""
    found = query.copy()
    for name, values in query.lists():
        found.setlist(name, [value for value in values if value])
    found.pop(APPLIED, None)
    return found.urlencode()
