"""The search by Ctrl-K: records, runs, schedules and pages, of what this person may see."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _
from django_celery_beat.models import PeriodicTask
from unfold.dataclasses import SearchResult

from backoffice.runs.database.bounded import TooSlow, bounded
from backoffice.runs.labels import run_heading
from backoffice.runs.models import Processable, Run
from backoffice.runs.pages.numbers import row_number

from .. import navigation
from ..parts.links import url_or_blank
from .find import records_called

EACH = 5  # of a kind: whoever wants more searches in its list
LONGEST = 100  # letters that are searched
THINKING = 0.5  # seconds for the records of a kind
PAGE = 1 + 20 * EACH  # more than there are: one page of results


def search(request: HttpRequest) -> HttpResponse:
    """In place of the theme's, which knows lists only, and keeps for five minutes what somebody saw."""
    term = request.GET.get("s", "").replace("\x00", "").strip()[:LONGEST]
    if not term:
        return HttpResponse()
    began = time.monotonic()
    results = Paginator(found(request, term), PAGE)
    context = {
        "search_term": term,
        "page_obj": results,
        "results": results.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - began,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context)


def found(request: HttpRequest, term: str) -> list[SearchResult]:
    """Pages first, then the run of that number, then what is called so, then where it occurs."""
    return [*pages(request, term), *runs(request, term), *records(request, term), *schedules(request, term)]


def pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Those of the navigation."""
    for group in navigation.sidebar(request):
        for item in group["items"]:
            if term.lower() in str(item["title"]).lower():
                yield SearchResult(str(item["title"]), _("Page"), item["link"], item["icon"])


def records(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """As each list of records finds them, what has the very name first."""
    called = dict(records_called(term, request.user))
    for model, model_admin in admin.site._registry.items():
        if issubclass(model, Processable) and model_admin.has_view_or_change_permission(request):
            yield from of_list(request, model_admin, term, called.get(model, []))


def of_list(request: HttpRequest, model_admin: Any, term: str, first: Iterable[Any] = ()) -> Iterator[SearchResult]:
    rows, keys = model_admin.get_queryset(request).order_by(), list(first)[:EACH]
    if len(keys) < EACH and model_admin.get_search_fields(request):
        keys += [key for key in matching(request, model_admin, rows, term) if key not in keys]
    by_key = rows.in_bulk(keys[:EACH])
    kind = capfirst(str(model_admin.opts.verbose_name))
    for key in keys:
        if key in by_key and (url := page_of(model_admin, key)):
            said = [kind, why(by_key[key], term, model_admin.get_search_fields(request))]
            yield SearchResult(str(by_key[key]), " · ".join(filter(None, said)), url, "table_rows")


def why(record: Any, term: str, searched: Iterable[str]) -> str:
    """What it was found by, where its title does not show it."""
    if term.casefold() in str(record).casefold():
        return ""
    for name, value in values_of(record, searched):
        if term.casefold() in value.casefold():
            return f"{capfirst(name)}: {Truncator(value).chars(60)}"
    return _("number %s") % record.pk if str(record.pk) == term else ""


def values_of(record: Any, searched: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of what a list searches, the record's own fields."""
    own = {field.name: field for field in record._meta.concrete_fields}
    for name in (each.lstrip("^=@").partition("__")[0] for each in searched):
        if name in own and not own[name].is_relation:
            yield str(own[name].verbose_name), str(getattr(record, name) or "")


def matching(request: HttpRequest, model_admin: Any, rows: Any, term: str) -> list[Any]:
    """A list without an index for its search is not waited for."""
    try:
        with bounded(THINKING, rows.db):
            some, _may_repeat = model_admin.get_search_results(request, rows, term)
            return list(some.values_list("pk", flat=True)[:EACH])
    except TooSlow:
        return []


def runs(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """By their number; the list of runs searches the rest."""
    number = row_number(term.lower().removeprefix(_("run").lower()).strip(" #"))
    mine = Run.objects.visible_to(request.user).filter(pk=number) if number else Run.objects.none()
    for run in mine.select_related("task"):
        yield SearchResult(run_heading(run), _("Run"), reverse("admin:runs_run_change", args=[run.pk]), "play_circle")


def schedules(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    model_admin = admin.site._registry.get(PeriodicTask)
    if model_admin and term and model_admin.has_view_or_change_permission(request):
        for row in model_admin.get_queryset(request).filter(name__icontains=term).order_by("name")[:EACH]:
            if url := page_of(model_admin, row.pk):
                yield SearchResult(str(row), _("Schedule"), url, "event_repeat")


def page_of(model_admin: Any, key: Any) -> str:
    return url_or_blank(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change", key)
