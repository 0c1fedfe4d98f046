"""Deleting all that match a filter, whatever its number: the form sends the filter, and batches go one by one.

Django's own page has a field for each row: beyond a thousand its form is refused, and a million stand in memory.
"""

import time
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import actions
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import model_ngettext
from django.db import transaction
from django.db.models import IntegerField, QuerySet
from django.db.models.deletion import Collector
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..database import references
from ..database.again import again
from . import record_log

AT_ONCE = 1_000
SECONDS = 20.0  # of one request: what stands between may give up after 30
_NAMED = 10


class DeletesAll:
    """For every admin: "select all" and delete."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        if "delete_selected" in found:  # last, not first: nobody should meet it on the way to another one
            found["delete_selected"] = (delete_selected, *found.pop("delete_selected")[1:])
        return found

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            before_deletion(request.user, type(obj)._base_manager.filter(pk=obj.pk))
            super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            rows = queryset.model._base_manager.filter(pk__in=list(queryset.values_list("pk", flat=True)))
            before_deletion(request.user, rows)
            super().delete_queryset(request, queryset)  # type: ignore[misc]


def before_deletion(user: object, rows: QuerySet[Any]) -> None:
    """Of two who delete the same rows at once the second waits, and finds none to log."""
    references.before_deletion(rows)
    record_log.log_deletion(user, rows)


@admin.action(permissions=["delete"], description=gettext_lazy("Delete selected %(verbose_name_plural)s"))
def delete_selected(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """What is ticked goes Django's way: there are no more than a page shows."""
    if request.POST.get("select_across") != "1":
        answer: HttpResponse | None = actions.delete_selected(modeladmin, request, queryset)
        return answer
    keys = keys_of(queryset)
    shown = request.POST.get("shown", "")
    if not request.POST.get("post") or not shown.isdecimal():
        return page(modeladmin, request, queryset, len(keys))
    if len(keys) > int(shown):
        note = _("More match by now than this page showed: nothing was deleted yet.")
        modeladmin.message_user(request, note, messages.WARNING)
        return page(modeladmin, request, queryset, len(keys))
    return finish(modeladmin, request, queryset, keys)


def keys_of(queryset: QuerySet[Any]) -> Sequence[Any]:
    """A million numbers in 8 MB: which rows match is asked once, and no row that comes later is among them."""
    found = queryset.prefetch_related(None).order_by("pk").values_list("pk", flat=True).iterator()
    return array("q", found) if isinstance(queryset.model._meta.pk, IntegerField) else list(found)


def finish(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any], keys: Sequence[Any]) -> HttpResponse | None:
    gone, seen, problem = delete(modeladmin, request, queryset, keys)
    done = _("%(n)s %(names)s deleted.") % {"n": f"{gone:,}", "names": model_ngettext(modeladmin.opts, gone)}
    left = len(keys) - seen
    if problem:
        modeladmin.message_user(request, format_html("{} {}", done, problem), messages.ERROR)
    elif left:
        more = ngettext(
            "%(left)s is left, since one page does not take longer: confirm again to go on.",
            "%(left)s are left, since one page does not take longer: confirm again to go on.",
            left,
        )
        modeladmin.message_user(request, f"{done} {more % {'left': f'{left:,}'}}", messages.WARNING)
        return page(modeladmin, request, queryset, left)
    else:
        modeladmin.message_user(request, done, messages.SUCCESS)
    return None


def delete(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any], keys: Sequence[Any]) -> tuple[int, int, str]:
    """How many were deleted, how many of `keys` were gone through, and why it stopped. Each batch commits by itself,
    with its entries in the log, and only of what matches still."""
    deadline = time.monotonic() + SECONDS
    gone = seen = 0
    for batch in batches(keys):
        if seen and time.monotonic() > deadline:
            break
        number, problem = delete_batch(modeladmin, request, queryset, batch)
        if problem:
            return gone, seen, problem
        gone, seen = gone + number, seen + len(batch)
    return gone, seen, ""


@again()
def delete_batch(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any], batch: list[Any]) -> tuple[int, str]:
    with transaction.atomic():
        matching = list(queryset.filter(pk__in=batch).order_by().values_list("pk", flat=True))
        rows = modeladmin.model._default_manager.filter(pk__in=matching)
        if problem := obstacle(modeladmin, request, rows):
            return 0, problem
        modeladmin.log_deletions(request, rows)
        modeladmin.delete_queryset(request, rows)
    return len(matching), ""


def batches(keys: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), AT_ONCE):
        yield list(keys[start : start + AT_ONCE])


def obstacle(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> str:
    """What keeps these from being deleted: rows that would go with them, or that hold them; "" if nothing does."""
    if goes_alone(modeladmin, rows):
        return ""
    _objects, _counts, lacking, protected = modeladmin.get_deleted_objects(rows, request)
    if lacking:
        names = ", ".join(sorted(map(str, lacking)))
        return _("The others would take %(names)s with them, or are ones you may not delete.") % {"names": names}
    if protected:
        named = format_html_join(", ", "{}", ((each,) for each in protected[:_NAMED]))
        return format_html("{} {}.", _("The others are needed by"), named)
    return ""


def goes_alone(modeladmin: Any, rows: QuerySet[Any]) -> bool:
    """No row hangs on these, and the right to delete them is one for all: then a million are not asked one by one."""
    asks_each = type(modeladmin).has_delete_permission is not BaseModelAdmin.has_delete_permission
    return not asks_each and Collector(using=rows.db).can_fast_delete(rows.all())


def page(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any], number: int) -> TemplateResponse:
    first = queryset.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]
    rows = modeladmin.model._default_manager.filter(pk__in=list(first))
    context = {
        **modeladmin.admin_site.each_context(request),
        "opts": modeladmin.opts,
        "title": _("Delete %(names)s") % {"names": modeladmin.opts.verbose_name_plural},
        "number": number,
        "problem": obstacle(modeladmin, request, rows),
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME)[:1],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "runs/delete.html", context)
