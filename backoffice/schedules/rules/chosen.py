"""What a schedule chooses its records by, in words."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from backoffice.runs.labels import value_label
from backoffice.runs.pages.lists import own_lookup

from . import relative
from .lookups import BadSelection

BIGGEST = 2**63
# From a day and before another, by name; relative.LISTED are among them.
SPANS = {
    ("today", "today 1"): _lazy("today"),
    ("today-7", "today 1"): _lazy("past 7 days"),
    ("today-30", "today 1"): _lazy("past 30 days"),
    ("today", "today 8"): _lazy("next 7 days"),
    ("week", "week 1"): _lazy("this week"),
    ("month", "month 1"): _lazy("this month"),
    ("month-1", "month"): _lazy("last month"),
    ("year", "year 1"): _lazy("this year"),
}


def chosen_in_words(query: str, model: type[Model], moment: datetime | None = None) -> str:
    """For example "due before today, carrier: Fast, search “berlin”"; with the days meant, given a moment."""
    found = QueryDict(query)
    conditions = {name: values for name, values in found.lists() if name != "q"}
    words = [*spans(conditions, model, moment)]  # takes away what it has told
    words += [condition(model, name, values, moment) for name, values in conditions.items()]
    return ", ".join([*words, *([_("search “%(text)s”") % {"text": found["q"]}] if found.get("q") else [])])


def spans(conditions: dict[str, list[str]], model: type[Model], moment: datetime | None) -> Iterator[str]:
    for since in [name for name in conditions if name.endswith("__gte") and relative.dated(model, name)]:
        name = since.removesuffix("__gte")
        pair = (conditions[since][-1], conditions.get(f"{name}__lt", [""])[-1])
        if pair in SPANS:
            del conditions[since], conditions[f"{name}__lt"]
            yield f"{called(name)}: {SPANS[pair]}{days_meant(pair, moment)}"


def days_meant(pair: tuple[str, str], moment: datetime | None) -> str:
    if moment is None:
        return ""
    first, end = (relative.day_of(word, moment.date()) for word in pair)
    last = end - timedelta(days=1)
    return f" ({first})" if first == last else _(" (%(first)s to %(last)s)") % {"first": first, "last": last}


def condition(model: type[Model], name: str, values: list[str], moment: datetime | None) -> str:
    if (found := relative.dated(model, name)) and (how := asked(found[2])):
        return f"{called(found[1])} {how} {', '.join(day(value, moment) for value in values)}"
    bare = name.removesuffix("__exact")
    return part(related(model, name) or bare, ", ".join(value_in_words(model, name, value) for value in values))


def asked(lookup: str) -> str:
    return {
        "gte": _("from"), "gt": _("after"), "lt": _("before"), "lte": _("up to"), "exact": _("on"),
    }.get(lookup, "")  # fmt: skip


def day(value: str, moment: datetime | None) -> str:
    if not relative.is_word(value):
        return value.removesuffix("+00:00").removesuffix(" 00:00:00")
    try:
        meant = f" ({relative.day_of(value, moment.date())})" if moment else ""
    except BadSelection:
        meant = ""
    return word(value) + meant


def word(value: str) -> str:
    """For example "7 days ago" or "2 months before this month"."""
    unit, number = relative.parsed(value)
    away = {"n": abs(number)}
    if unit == "today" and number:
        nearest = {-1: _("yesterday"), 1: _("tomorrow")}.get(number)
        return nearest or (_("%(n)d days ago") if number < 0 else _("%(n)d days from today")) % away
    begins = {"today": _("today"), "week": _("this week"), "month": _("this month"), "year": _("this year")}[unit]
    if not number:
        return begins
    units = {
        "week": ngettext("a week", "%(n)d weeks", abs(number)),
        "month": ngettext("a month", "%(n)d months", abs(number)),
        "year": ngettext("a year", "%(n)d years", abs(number)),
    }
    told = _("%(units)s before %(unit)s") if number < 0 else _("%(units)s after %(unit)s")
    return told % {"units": units[unit] % away, "unit": begins}


def related(model: type[Model], key: str) -> str:
    """The relation that a condition is about; "" for any other."""
    try:
        field = model._meta.get_field(key.partition("__")[0])
    except FieldDoesNotExist:
        return ""
    return field.name if field.is_relation and own_lookup(model, key) in ("exact", "in") else ""


def value_in_words(model: type[Model], key: str, value: str) -> str:
    if name := related(model, key):
        return ", ".join(row_in_words(model, name, each) for each in value.split(","))
    return value_label(model, key.removesuffix("__exact"), value)


def row_in_words(model: type[Model], name: str, value: str) -> str:
    """By name where the records' list offers them by name; elsewhere not everybody may know what they are called."""
    listed: Any = getattr(admin.site._registry.get(model), "list_filter", ())
    field: Any = model._meta.get_field(name)
    if name not in names_of(listed):
        return value
    try:
        key = field.target_field.to_python(value)
    except ValidationError:
        return value
    if isinstance(key, int) and abs(key) >= BIGGEST:
        return value
    row = field.related_model._default_manager.filter(**{field.target_field.attname: key}).first()
    return _("%(value)s (gone)") % {"value": value} if row is None else str(row)


def names_of(listed: Iterable[Any]) -> set[str]:
    named = (each[0] if isinstance(each, list | tuple) else each for each in listed)
    return {each for each in named if isinstance(each, str)}


def part(name: str, value: str) -> str:
    shown = {"0": _("no"), "1": _("yes")}.get(value, value)
    return f"{called(name)}: {shown}"


def called(name: str) -> str:
    return name.replace("__", " ").replace("_", " ")
