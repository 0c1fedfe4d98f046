"""The records a schedule is about: a saved filter of the record type's own changelist, or plain field lookups."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import FieldError, SuspiciousOperation, ValidationError
from django.db import DataError, NotSupportedError, connections, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.runs.access import may_see_records
from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.pages.listing.unread import unread
from backoffice.runs.pages.lists import fitted

from . import lookups as declared
from . import relative
from .lookups import BadSelection

__all__ = ["BadSelection", "by_fields", "by_query", "clean_query", "describe", "may_look", "records"]

THINKING = 3.0  # seconds for the queries of a list's own filters: the records are not read
# What a changelist's address says about the page and not about the records on it.
PAGE_ONLY = frozenset({ALL_VAR, ORDER_VAR, PAGE_VAR, ERROR_FLAG, "e", "_popup", "_to_field", "_changelist_filters"})

# A value or a lookup that does not fit, as Django, SQLite and PostgreSQL say it.
UNFIT = (ValueError, TypeError, OverflowError, ValidationError, DataError, FieldError, NotSupportedError)


def by_fields(model: type[Model], lookups: dict[str, Any], user: Any, moment: datetime) -> QuerySet[Any]:
    """Records by plain lookups on the model's own fields, such as {"processed": false}. Raises BadSelection."""
    model_admin, request = admin.site._registry.get(model), request_of(user)
    shown = declared.shown_to(model_admin, request) if model_admin else None
    for key in lookups:
        declared.check_field(model, key, shown)
    visible = model_admin.get_queryset(request) if model_admin and user else model._default_manager.all()
    try:
        fixed = relative.fixed_lookups(model, lookups, moment)
        return visible.filter(**{key: fitted(model, key, value) for key, value in fixed.items()})
    except UNFIT as error:
        raise BadSelection(_("The filter has a value that does not fit: %(error)s") % {"error": error}) from error


def by_query(model: type[Model], query: str, user: Any, moment: datetime) -> QuerySet[Any]:
    """Records by a changelist's query string, such as "verdict=invalid&q=berlin". Raises BadSelection."""
    model_admin = admin.site._registry.get(model)
    if model_admin is None:
        raise BadSelection(_("%(type)s has no list in the admin.") % {"type": model._meta.verbose_name})
    given = QueryDict(clean_query(query))
    if any("\x00" in value for _name, values in given.lists() for value in values):
        raise BadSelection(_("A filter cannot hold a null character."))
    request = request_of(user, relative.fixed_query(model, given, moment))
    try:
        with savepoint(model):
            changelist = unread(model_admin).get_changelist_instance(request)
    except IncorrectLookupParameters as error:
        raise BadSelection(_("The list does not know this filter: %(error)s") % {"error": query or error}) from error
    except (SuspiciousOperation, *UNFIT) as error:
        raise BadSelection(_("The list does not know this filter: %(error)s") % {"error": error}) from error
    declared.check_query(model_admin, changelist, given, declared.shown_to(model_admin, request))
    found: QuerySet[Any] = changelist.queryset.order_by()
    return found


def request_of(user: Any, query: QueryDict | None = None) -> HttpRequest:
    request = HttpRequest()
    request.method, request.user = "GET", user or declared.Everyone()
    request.GET = query or QueryDict()  # type: ignore[assignment]
    return request


def clean_query(text: str) -> str:
    """The filters of what was pasted: a whole address, the part after "?", or that part alone."""
    before, mark, after = text.strip().partition("?")
    is_address = before.startswith(("http://", "https://", "/")) or not before
    found = QueryDict(after if is_address else f"{before}{mark}{after}", mutable=True)
    for key in PAGE_ONLY & set(found):
        del found[key]
    return str(found.urlencode())


def may_look(model: type[Model], user: Any) -> bool:
    return user is None or may_see_records(user, model)


def records(
    model: type[Model], kwargs: dict[str, Any], user: Any = None, moment: datetime | None = None
) -> QuerySet[Any]:
    """What `filter` (field lookups) or `selection` (a query string) of a schedule's arguments choose; all without.

    `user`: whose sight and rights count; None for a schedule that is nobody's. `moment`: as of when days that move are
    read, in whose time zone. Raises BadSelection.
    """
    at = moment or relative.moment_of(None)
    lookups, query = kwargs.get("filter") or {}, kwargs.get("selection") or ""
    if not isinstance(lookups, dict) or not isinstance(query, str):
        raise BadSelection(_('The selection must be a filter such as {"processed": false}, or a list\'s address.'))
    if lookups and query:
        raise BadSelection(_("Give either a filter or a selection, not both."))
    if (lookups or query) and not may_look(model, user):
        message = _("Only who may look at %(records)s may choose among them: leave it empty, which means all.")
        raise BadSelection(message % {"records": model._meta.verbose_name_plural})
    try:
        # A list's own filters ask what day it is, too.
        with bounded(THINKING, model._default_manager.db), timezone.override(relative.zone_of(at)):
            return understood(by_query(model, query, user, at) if query else by_fields(model, lookups, user, at))
    except TooSlow as error:
        raise BadSelection(str(error)) from error


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


def as_of(model: type[Model], query: str, moment: datetime) -> str:
    """For a link to the list, which knows no days that move; as it is where it cannot be read."""
    try:
        return str(relative.fixed_query(model, QueryDict(query), moment).urlencode())
    except BadSelection:
        return query
