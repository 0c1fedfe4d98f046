"""Which filters of a list are active, in words, each with the address of the list without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from ...labels import value_label
from .fields import LINK_FILTER, fields_of

WORDS = {
    "exact": "", "iexact": "", "in": _lazy("one of"), "isnull": _lazy("empty"),
    "gt": _lazy("more than"), "gte": _lazy("from"), "lt": _lazy("less than"), "lte": _lazy("to"),
    "contains": _lazy("contains"), "icontains": _lazy("contains"), "startswith": _lazy("begins with"),
    "istartswith": _lazy("begins with"), "endswith": _lazy("ends with"), "iendswith": _lazy("ends with"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chip:
    title: str
    words: str
    without: str


def of(changelist: Any) -> list[Chip]:
    return [*of_filters(changelist), *of_fields(changelist), *of_search(changelist)]


def of_filters(changelist: Any) -> Iterator[Chip]:
    for spec in changelist.filter_specs:
        names = [name for name in spec.expected_parameters() if any(changelist.filter_params.get(name, ()))]
        if names:
            yield Chip(str(spec.title), words_of(spec, changelist), changelist.get_query_string(remove=names))


def words_of(spec: Any, changelist: Any) -> str:
    if spec.template == LINK_FILTER:
        return ", ".join(str(choice["display"]) for choice in spec.choices(changelist) if choice["selected"])
    asked = [field for field in fields_of(spec, changelist) if field.value()]
    words = [said(field) for field in asked]
    return words[0] if len(words) == 1 else "; ".join(
        f"{field.label.lower()}: {each}" for field, each in zip(asked, words, strict=True)
    )  # fmt: skip


def said(field: Any) -> str:
    """A field's value as its choices have it."""
    known = {str(value): str(label) for value, label in flat(getattr(field.field, "choices", ()))}
    values = field.value() if isinstance(field.value(), list) else [field.value()]
    return ", ".join(known.get(str(value), str(value)) for value in values)


def flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield value, label


def of_fields(changelist: Any) -> Iterator[Chip]:
    """What the address asks of fields for which the list has no filter."""
    known = {name for spec in changelist.filter_specs for name in spec.expected_parameters()}
    for name, values in changelist.get_filters_params().items():
        if name not in known:
            field, lookup = parted(changelist.model, name)
            asked = [part for value in values for part in (value.split(",") if lookup == "in" else [value])]
            told = [value_label(changelist.model, name.partition("__")[0], each) for each in asked]
            if lookup == "isnull":
                told = [_("no") if each in ("0", "False", "false") else _("yes") for each in asked]
            words = " ".join([str(WORDS.get(lookup, lookup)), ", ".join(told)]).strip()
            yield Chip(field, words, changelist.get_query_string(remove=[name]))


def parted(model: Any, name: str) -> tuple[str, str]:
    field, _mark, lookup = name.partition("__")
    try:
        return str(model._meta.get_field(field).verbose_name), lookup.rpartition("__")[2] or "exact"
    except (FieldDoesNotExist, AttributeError):
        return field, lookup


def of_search(changelist: Any) -> Iterator[Chip]:
    if changelist.query:
        yield Chip(_("search"), f"“{changelist.query}”", changelist.get_query_string(remove=[SEARCH_VAR]))
