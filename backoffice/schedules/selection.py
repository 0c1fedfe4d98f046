"""The records a schedule is about: a saved filter of the record type's own changelist, or plain field lookups."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation, ValidationError
from django.db import DataError, connections, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

LOOKUPS = frozenset({"exact", "in", "isnull", "gt", "gte", "lt", "lte", "startswith", "icontains"})
# What a changelist's address says about the page and not about the records on it.
PAGE_ONLY = frozenset({ALL_VAR, ORDER_VAR, PAGE_VAR, ERROR_FLAG, "e", "_popup", "_to_field", "_changelist_filters"})

# A value that does not fit, as Django, SQLite and PostgreSQL say it.
UNFIT = (ValueError, OverflowError, DataError)


class BadSelection(ValueError):
    """The selection cannot be read; the text is fit for staff."""


def by_fields(model: type[Model], lookups: dict[str, Any]) -> QuerySet[Any]:
    """Records by plain lookups on the model's own fields, such as {"processed": false}. Raises BadSelection."""
    for key in lookups:
        _check_lookup(model, key)
    try:
        return model._default_manager.filter(**lookups)
    except (TypeError, ValidationError, *UNFIT) as error:
        raise BadSelection(_("The filter has a value that does not fit: %(error)s") % {"error": error}) from error


def _check_lookup(model: type[Model], key: str) -> None:
    field, _separator, lookup = key.partition("__")
    try:
        found = model._meta.get_field(field)
    except FieldDoesNotExist:
        fields = ", ".join(sorted(f.name for f in model._meta.concrete_fields))
        message = _("%(type)s has no field “%(field)s”. Fields: %(fields)s.")
        raise BadSelection(message % {"type": model._meta.verbose_name, "field": field, "fields": fields}) from None
    if found.is_relation or (lookup or "exact") not in LOOKUPS:
        message = _("A filter cannot use “%(key)s”. It uses the record's own fields with: %(lookups)s.")
        raise BadSelection(message % {"key": key, "lookups": ", ".join(sorted(LOOKUPS))})


def by_query(model: type[Model], query: str) -> QuerySet[Any]:
    """Records by a changelist's query string, such as "verdict=invalid&q=berlin". Raises BadSelection."""
    model_admin = admin.site._registry.get(model)
    if model_admin is None:
        raise BadSelection(_("%(type)s has no list in the admin.") % {"type": model._meta.verbose_name})
    given = QueryDict(clean_query(query))
    if any("\x00" in value for _name, values in given.lists() for value in values):
        raise BadSelection(_("A filter cannot hold a null character."))
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", given, _Everyone()
    try:
        with savepoint(model):
            changelist = model_admin.get_changelist_instance(request)
        return changelist.get_queryset(request).order_by()
    except IncorrectLookupParameters as error:
        raise BadSelection(_("The list does not know this filter: %(error)s") % {"error": query or error}) from error
    except (SuspiciousOperation, ValidationError, *UNFIT) as error:
        raise BadSelection(_("The list does not know this filter: %(error)s") % {"error": error}) from error


def clean_query(text: str) -> str:
    """The filters of what was pasted: a whole address, the part after "?", or that part alone."""
    before, mark, after = text.strip().partition("?")
    is_address = before.startswith(("http://", "https://", "/")) or not before
    found = QueryDict(after if is_address else f"{before}{mark}{after}", mutable=True)
    for key in PAGE_ONLY & set(found):
        del found[key]
    return str(found.urlencode())


class _Everyone(AnonymousUser):
    """Reads the list for a schedule: whether a person may start it was checked when they saved it."""

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return True

    def has_module_perms(self, module: str) -> bool:
        return True


def records(model: type[Model], kwargs: dict[str, Any]) -> QuerySet[Any]:
    """What `filter` (field lookups) or `selection` (a query string) of a schedule's arguments choose; all without."""
    lookups, query = kwargs.get("filter") or {}, kwargs.get("selection") or ""
    if not isinstance(lookups, dict) or not isinstance(query, str):
        raise BadSelection(_('The selection must be a filter such as {"processed": false}, or a list\'s address.'))
    if lookups and query:
        raise BadSelection(_("Give either a filter or a selection, not both."))
    return understood(by_query(model, query) if query else by_fields(model, lookups))


def understood(found: QuerySet[Any]) -> QuerySet[Any]:
    """Let the database plan the query and not run it: what it cannot take, such as a number too large, shows now."""
    try:
        with savepoint(found.model):
            found.explain()
    except UNFIT as error:
        raise BadSelection(_("The filter has a value that does not fit: %(error)s") % {"error": error}) from error
    return found


def savepoint(model: type[Model]) -> AbstractContextManager[Any]:
    """Within a transaction, so that a refusal by the database does not spoil it; SQLite's lock is not taken for one."""
    using = model._default_manager.db
    return transaction.atomic(using) if connections[using].in_atomic_block else nullcontext()


def describe(kwargs: Mapping[str, Any]) -> str:
    """The selection as a query string, for people and for links."""
    lookups = kwargs.get("filter") or {}
    if lookups and isinstance(lookups, dict):
        found = QueryDict(mutable=True)
        for key, value in lookups.items():
            name = key if "__" in key else f"{key}__exact"
            values = value if isinstance(value, list) else [value]
            found[name] = ",".join(str(int(v)) if isinstance(v, bool) else str(v) for v in values)
        return str(found.urlencode())
    return str(kwargs.get("selection") or "")
