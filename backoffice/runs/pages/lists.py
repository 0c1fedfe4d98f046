"""What every list in the admin keeps to: only its own filters are asked of the database, and none of them falls away.

A list that cannot take an address says so, and never shows more than was asked for.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, prepare_lookup_value
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import DataError, NotSupportedError
from django.db.models import DurationField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from . import back
from .listing import chips, named
from .listing.fields import APPLIED, applied, as_field, fields_of

logger = logging.getLogger(__name__)

# What may be asked of a record's own fields beside its list's filters: by an address, and by a schedule's filter.
# No regular expression: one letter repeated makes it run for ever.
LOOKUPS = frozenset(
    {
        *("exact", "iexact", "in", "isnull", "gt", "gte", "lt", "lte"),
        *("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
    }
)
OF_RELATIONS = frozenset({"exact", "in", "isnull"})
MOST_VALUES = 100  # of an address; SQLite takes a condition of a thousand parts
MOST_WORDS = 30  # of a search
BIGGEST = 2**63  # of a row's number
# A value or a lookup that does not fit, as Django, SQLite and PostgreSQL say it.
UNFIT = (ValueError, TypeError, OverflowError, ValidationError, FieldError, DataError, NotSupportedError)


class RefusedAddress(DisallowedModelAdminLookup):
    """The list cannot take this address or selection; the text is fit for staff. Elsewhere than in a list: a 400."""


class StaffList(ChangeList):
    """A changelist whose filters all count."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        refuse_odd(request.GET)
        self.request = request
        super().__init__(request, *args, **kwargs)

    # --- what is asked

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Without what an action on a row's page comes back to."""
        found: dict[str, Any] = super().get_filters_params(params)
        for name in (back.FILTERS, back.RUN):
            found.pop(name, None)
        return found

    def get_filters(self, request: HttpRequest) -> Any:
        given = self.get_filters_params()
        specs, has_filters, left, may_repeat, active = super().get_filters(request)
        for key in left:
            if not self.is_declared(key, request):
                raise RefusedAddress(_("This list has no filter “%(name)s”.") % {"name": key[:100]})
        # Django drops a filter that has nothing to choose from, and its value with it: all rows would be shown.
        used = {name for spec in specs for name in spec.used_parameters}
        for key in given.keys() - left.keys() - used:
            if key.partition("__")[0] != self.date_hierarchy:
                left[key] = prepare_lookup_value(key, given[key])
        left = {key: fitted(self.model, key, value) for key, value in left.items()}
        for spec in specs:
            offer_what_is_chosen(spec)
            as_field(spec, self)
        return specs, has_filters, left, may_repeat, active

    def is_declared(self, key: str, request: HttpRequest) -> bool:
        field = key.partition("__")[0]
        if field == self.date_hierarchy:
            return True
        if not getattr(self.model_admin, "takes_lookups", False) or not own_lookup(self.model, key):
            return False
        shown = shown_to(self.model_admin, request)
        return shown is None or field in shown

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Model]:
        if len(self.query.split()) > MOST_WORDS:
            raise RefusedAddress(_("Search for at most %(n)d words at once.") % {"n": MOST_WORDS})
        return super().get_queryset(request, exclude_parameters)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[str]:
        """By columns that can be sorted by, each once."""
        if ORDER_VAR in self.params:
            self.params[ORDER_VAR] = ".".join(self.sortable(str(self.params[ORDER_VAR]).split(".")))
        ordering: list[str] = super().get_ordering(request, queryset)
        return ordering

    def sortable(self, columns: Iterable[str]) -> Iterator[str]:
        seen: set[int] = set()
        # an export's list is made with the admin's attribute, where None is all
        allowed = self.list_display if self.sortable_by is None else self.sortable_by
        for column in columns:
            number = column.removeprefix("-")
            index = int(number) if number.isdecimal() and len(number) < 4 else len(self.list_display)
            if index < len(self.list_display) and index not in seen and self.list_display[index] in allowed:
                seen.add(index)
                yield column

    # --- what is shown, and how it goes on from there

    def get_results(self, request: HttpRequest) -> None:
        """A page beyond the end is the last one, of the same filter."""
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            pages = self.model_admin.get_paginator(request, self.queryset, self.list_per_page).num_pages
            self.page_num: int = max(1, min(self.page_num, pages))
            super().get_results(request)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Without the names in `remove`. Django takes away whatever begins with one of them: "kind" for "kind_of"."""
        begins = tuple(name for name in remove or () if name.endswith("__"))
        exact = set(remove or ()) - set(begins)
        gone = [name for name in self.filter_params if name in exact or (begins and name.startswith(begins))]
        text: str = super().get_query_string(dict.fromkeys(gone) | (new_params or {}))
        return text

    @property
    def carried(self) -> list[tuple[str, str]]:
        """For the form beside the list: what its fields do not send themselves."""
        return self._carried(horizontal=False)

    @property
    def carried_above(self) -> list[tuple[str, str]]:
        """For the form above the list."""
        return self._carried(horizontal=True)

    def _carried(self, *, horizontal: bool) -> list[tuple[str, str]]:
        specs = [spec for spec in self.filter_specs if bool(getattr(spec, "horizontal", False)) == horizontal]
        sent = {name for spec in specs for name in self.fields_of(spec)}
        return [(name, value) for name, values in self.filter_params.items() if name not in sent for value in values]

    def fields_of(self, spec: Any) -> set[str]:
        return {field.html_name for field in fields_of(spec, self)}

    @property
    def chips(self) -> list[chips.Chip]:
        """The filters that are active."""
        return chips.of(self)

    @cached_property
    def named_links(self) -> list[named.Link]:
        return named.links(self.model_admin, self.request, self)

    @property
    def without_filters(self) -> str:
        return self.get_query_string(remove=[*self.get_filters_params(), SEARCH_VAR])


def own_lookup(model: type[Model], key: str) -> str:
    """What a condition asks of the model's own column: of a relation which row it is. "" for a condition that does not.

    Written "carrier", "carrier__exact" or, as lists write it, "carrier__id__exact".
    """
    name, *rest = key.split("__")
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    allowed = LOOKUPS
    if field.is_relation:
        if not field.concrete or field.many_to_many:
            return ""
        allowed, rest = OF_RELATIONS, rest[1:] if rest[:1] == [field.target_field.name] else rest
    lookup = "__".join(rest) or "exact"
    return lookup if lookup in allowed else ""


def fitted(model: type[Model], key: str, value: Any) -> Any:
    """The value of a condition as its column takes it: Django looks at all but a duration's. Raises ValidationError."""
    if isinstance(value, list):
        return [fitted(model, key, each) for each in value]
    name, _by, lookup = key.partition("__")
    is_compared = (lookup or "exact") in ("exact", "in", "gt", "gte", "lt", "lte")
    field = next((each for each in model._meta.concrete_fields if each.name == name), None)
    return field.to_python(value) if is_compared and isinstance(field, DurationField) else value


def shown_to(model_admin: Any, request: HttpRequest) -> frozenset[str] | None:
    """The fields that this person sees in the list or on a record's page; None for all."""
    if request.user.is_superuser:
        return None
    columns = model_admin.get_list_display(request)
    sorted_by = (getattr(getattr(model_admin, str(c), c), "admin_order_field", "") for c in columns)
    names = [*flatten_fieldsets(model_admin.get_fieldsets(request)), *columns, *sorted_by]
    return frozenset({model_admin.opts.pk.name, *(name.lstrip("-") for name in names if isinstance(name, str))})


def offer_what_is_chosen(spec: Any) -> None:
    """A value that is none of a filter's choices stands among them: a form would send another one in its place."""
    choices, chosen = getattr(spec, "lookup_choices", None), getattr(spec, "value", lambda: None)()
    if choices and isinstance(chosen, str) and chosen and chosen not in set(values_of(choices)):
        choices.append((chosen, chosen))


def values_of(choices: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Those of groups, too."""
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield from values_of(label)
        else:
            yield str(value)


def refuse_odd(query: QueryDict) -> None:
    values = [value for _name, found in query.lists() for value in found]
    if "\x00" in "".join([*query, *values]):
        raise RefusedAddress(_("An address cannot hold a null character."))
    if len(values) > MOST_VALUES:
        raise RefusedAddress(_("An address holds at most %(n)d filters.") % {"n": MOST_VALUES})


def refuse_odd_selection(model: type[Model], sent: QueryDict) -> None:
    """Django would raise for what is no row's number, and take "2" for "all rows" where we ask for "1"."""
    chosen, across = sent.getlist(ACTION_CHECKBOX_NAME), sent.getlist("select_across")
    if not (all(is_key(model, each) for each in chosen) and {*across} <= {"", "0", "1"}):
        raise RefusedAddress(_("The selection is not readable: select again in the list."))


def is_key(model: type[Model], text: str) -> bool:
    try:
        key = model._meta.pk.to_python(text)
    except ValidationError:
        return False
    return not isinstance(key, int) or abs(key) < BIGGEST


def refused(model_admin: Any, request: HttpRequest, error: Exception) -> HttpResponse:
    """A page that says what is wrong with the address, in place of all rows."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("The list cannot show this"),
        "opts": model_admin.model._meta,
        "reason": str(error),
        "list_url": request.path,
    }
    return TemplateResponse(request, "runs/list_refused.html", context, status=400)


class StaffLists:
    """For every admin: lists as above."""

    show_facets = ShowFacets.NEVER  # a count for each choice reads the table once more
    takes_lookups = False  # LOOKUPS on the model's own fields
    nothing_yet: Any = ""  # what to do, in an empty list to which nobody adds by hand
    named_filters: named.Named = ()  # links above the rows: words, and the filter as the list's address has it

    def get_named_filters(self, request: HttpRequest) -> named.Named:
        return self.named_filters

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)  # type: ignore[misc]
        except (IncorrectLookupParameters, *UNFIT) as error:
            if not request.GET:
                raise
            logger.info("A list refused %s: %r", request.GET.urlencode()[:500], error)
            raise RefusedAddress(_("A filter of this address has a value that does not fit.")) from error

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            if request.method == "POST":
                refuse_odd_selection(self.model, request.POST)  # type: ignore[attr-defined]
            elif back.FILTERS in request.GET:
                return HttpResponseRedirect(f"{request.path}?{QueryDict(request.GET[back.FILTERS]).urlencode()}")
            elif back.RUN in request.GET:
                return HttpResponseRedirect(request.path)
            elif APPLIED in request.GET:
                return HttpResponseRedirect(f"{request.path}?{applied(request.GET)}")
            return super().changelist_view(request, extra_context)  # type: ignore[misc]
        except DisallowedModelAdminLookup as error:
            return refused(self, request, error)
