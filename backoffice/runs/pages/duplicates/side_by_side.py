"""Two records on one page: what differs, what happened to each, and the decision that they are not the same."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import display_for_field, flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ...duplicates import apart, candidates
from .. import record_log, timeline
from . import panel
from .listed import visible

SHOWN = 10  # entries of each timeline


@dataclass(frozen=True, slots=True)
class Line:
    """One field of both."""

    label: str
    one: Any
    other: Any
    differs: bool


@dataclass(frozen=True, slots=True)
class Side:
    record: Any
    url: str
    outcome: Any
    processed: Any
    timeline: timeline.Timeline


def view(model_admin: Any, request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Whoever may look at both sees them; whoever may change them decides."""
    records = [_seen(model_admin, request, each) for each in (pk, other)]
    if pk == other:
        raise Http404(_("A record is not compared with itself."))
    if request.method == "POST":
        return _decided(model_admin, request, *records)
    return page(model_admin, request, *records)


def _seen(model_admin: Any, request: HttpRequest, pk: int) -> Any:
    record = model_admin.get_object(request, str(pk))
    if record is None:
        raise Http404(_("There is no such record any more: it was deleted, or is not yours to see."))
    if not model_admin.has_view_or_change_permission(request, record):
        raise PermissionDenied
    return record


def page(model_admin: Any, request: HttpRequest, one: Any, other: Any, reason: str = "") -> TemplateResponse:
    decision = apart.between(type(one), one.pk, other.pk).first()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": _("Are these the same?"),
        "original": one,
        "sides": [_side(model_admin, request, each) for each in (one, other)],
        "lines": list(lines(model_admin, request, one, other)),
        "alike": panel.alike_in(model_admin, one, other),
        "decision": decision,
        "reason": reason,
        "seen": apart.seen(one, other),
        "may_decide": may_decide(model_admin, request, one, other),
        "may_delete": model_admin.has_delete_permission(request),
        "url": model_admin.url_of("compare", one.pk, other.pk),
    }
    return TemplateResponse(request, "runs/duplicates/compare.html", context)


def _side(model_admin: Any, request: HttpRequest, record: Any) -> Side:
    whole = timeline.of_record(type(record), record.pk, request.user, record=record)
    return Side(
        record,
        model_admin.url_of("change", record.pk),
        model_admin.outcome_of(record),
        model_admin.processed_of(record),
        replace(whole, entries=whole.entries[:SHOWN], older=""),
    )


def lines(model_admin: Any, request: HttpRequest, one: Any, other: Any) -> Iterator[Line]:
    """The fields of the record's form, in its order."""
    for name in flatten_fieldsets(model_admin.get_fieldsets(request, one)):
        try:
            field: Any = one._meta.get_field(name)
        except (FieldDoesNotExist, TypeError):  # a column of the admin's own
            continue
        if field.concrete and not field.many_to_many:
            mine, theirs = _shown(field, one), _shown(field, other)
            yield Line(capfirst(str(field.verbose_name)), mine, theirs, mine != theirs)


def _shown(field: Any, record: Any) -> Any:
    value = record_log.said(field, record)
    return value if field.is_relation else display_for_field(value, field, "")


def may_decide(model_admin: Any, request: HttpRequest, *records: Any) -> bool:
    return all(model_admin.has_change_permission(request, each) for each in records)


def _decided(model_admin: Any, request: HttpRequest, one: Any, other: Any) -> HttpResponse:
    if not may_decide(model_admin, request, one, other):
        raise PermissionDenied
    if request.POST.get("action") == "withdraw":
        return _withdrawn(model_admin, request, one, other)
    reason = request.POST.get("reason", "")
    try:
        apart.decide(type(one), one.pk, other.pk, request.user, reason, request.POST.get("seen", ""))
    except ValueError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return page(model_admin, request, one, other, reason)
    said = _("Kept: %(one)s and %(other)s are not the same.") % {"one": one, "other": other}
    model_admin.message_user(request, said, messages.SUCCESS)
    if request.POST.get("then") == "next":
        return _next(model_admin, request, one.pk)
    return redirect(model_admin.url_of("change", one.pk))


def _withdrawn(model_admin: Any, request: HttpRequest, one: Any, other: Any) -> HttpResponse:
    try:
        had_one = apart.withdraw(type(one), one.pk, other.pk, request.user, request.POST.get("reason", ""))
    except ValueError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return page(model_admin, request, one, other)
    if had_one:
        said = _("Withdrawn: %(one)s and %(other)s may be the same again.") % {"one": one, "other": other}
        model_admin.message_user(request, said, messages.SUCCESS)
    else:
        model_admin.message_user(request, _("There was no decision about these two any more."), messages.INFO)
    return redirect(model_admin.url_of("compare", one.pk, other.pk))


def _next(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """The next pair that nobody has decided: of this record, of a later one, or from the beginning."""
    rows = model_admin.get_queryset(request)
    unsettled = rows.filter(pk__in=candidates.with_candidates(rows.model)).order_by("pk").values_list("pk", flat=True)
    for after in ([pk], unsettled.filter(pk__gt=pk)[:SHOWN], unsettled[:SHOWN]):
        for one, others in sorted(visible(rows, rows.model, list(after)).items()):
            return redirect(model_admin.url_of("compare", one, others[0]))
    model_admin.message_user(request, _("No possible duplicate is left to look at."), messages.SUCCESS)
    return redirect(model_admin.url_of("changelist"))
