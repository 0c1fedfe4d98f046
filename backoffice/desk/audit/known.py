"""Which record a page or a pack is about, and of which days. The record may be gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.results import activity
from backoffice.runs.models import Processable
from backoffice.runs.pages import timeline
from backoffice.runs.pages.timeline import Span, Timeline

from ..parts.filters import day_of, start_of
from .origin import may_view

BIGGEST = 2**63 - 1  # of a primary key


@dataclass(frozen=True)
class Known:
    model: type[Processable]
    pk: int
    user: Any
    span: Span

    @cached_property
    def record(self) -> Any:
        return self.model._base_manager.filter(pk=self.pk).first() if self.pk <= BIGGEST else None

    @property
    def label(self) -> str:
        return activity.label_of(self.model)

    def __str__(self) -> str:
        return str(self.record or f"{capfirst(str(self.model._meta.verbose_name))} {self.pk}")

    def page(self, before: str = "", span: Span | None = None) -> Timeline:
        span = self.span if span is None else span
        return timeline.of_record(self.model, self.pk, self.user, record=self.record, before=before, span=span)

    @property
    def is_known(self) -> bool:
        if self.record is not None or self.pk > BIGGEST:
            return self.record is not None
        return bool(self.page(span=timeline.ALWAYS).entries)


def asked(request: HttpRequest, label: str, pk: int) -> Known:
    """Raises PermissionDenied for who may not look at such records, Http404 where nothing is known of this one."""
    known = Known(kind_called(label), pk, request.user, span_of(request.GET))
    if not may_view(request.user, known.model):
        raise PermissionDenied
    if not known.is_known:
        raise Http404(_("Nothing is known about %(label)s %(pk)s.") % {"label": label, "pk": pk})
    return known


def kind_called(label: str) -> type[Processable]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        model = None
    if model is None or not issubclass(model, Processable):
        raise Http404(_("There is no kind of record called “%s”.") % label)
    return model


def span_of(given: Mapping[str, Any]) -> Span:
    """Days of the reader's time zone, both within it."""
    first, last = day_of(given.get("since")), day_of(given.get("until"))
    return Span(start_of(first) if first else None, start_of(last + timedelta(days=1)) if last else None)


def misread(given: Mapping[str, Any]) -> str:
    """What is wrong with the days that were asked for; "" if nothing is."""
    for name in ("since", "until"):
        if given.get(name) and day_of(given[name]) is None:
            return _("“%s” is no day: write it as 2026-12-31.") % str(given[name])[:40]
    span = span_of(given)
    if span.since and span.until and span.since >= span.until:
        return _("These days end before they begin.")
    return ""
