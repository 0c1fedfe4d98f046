"""Which conditions a schedule may choose records by, and whose: nobody asks about what they may not see."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext as _

from backoffice.runs.pages.lists import LOOKUPS, OF_RELATIONS, own_lookup, shown_to

__all__ = ["LOOKUPS", "BadSelection", "Everyone", "check_field", "check_query", "shown_to"]


class BadSelection(ValueError):
    """The selection cannot be read; the text is fit for staff."""


class Everyone(AnonymousUser):
    """Reads for a schedule that is nobody's: a developer wrote it, or it was there before schedules had owners."""

    is_superuser = True  # type: ignore[assignment]

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return True

    def has_module_perms(self, module: str) -> bool:
        return True


def check_field(model: type[Model], key: str, shown: frozenset[str] | None) -> None:
    """The record's own field, shown to the person, with a declared lookup. `shown` None: all. Raises BadSelection."""
    name = key.partition("__")[0]
    own = sorted(f.name for f in model._meta.concrete_fields if shown is None or f.name in shown)
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        found = None
    if found is None or found.name not in own:
        message = _("%(type)s has no field “%(field)s”. Fields: %(fields)s.")
        raise BadSelection(
            message % {"type": model._meta.verbose_name, "field": name, "fields": ", ".join(own)}
        ) from None
    if not own_lookup(model, key):
        message = _("A filter cannot use “%(key)s”. It uses the record's own fields with: %(lookups)s.")
        allowed = OF_RELATIONS if found.is_relation else LOOKUPS
        raise BadSelection(message % {"key": key, "lookups": ", ".join(sorted(allowed))})


def check_query(model_admin: Any, changelist: Any, names: Iterable[str], shown: frozenset[str] | None) -> None:
    """A list's own filters and search, and fields. Raises BadSelection."""
    own = {SEARCH_VAR, *(name for spec in changelist.filter_specs for name in spec.expected_parameters())}
    if by_date := model_admin.date_hierarchy:
        own |= {f"{by_date}__{part}" for part in ("year", "month", "day")}
    for name in set(names) - own:
        check_field(model_admin.model, name, shown)
