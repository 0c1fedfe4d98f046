"""A record's timeline on a page of its own, which outlives the record."""

from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views import View

from backoffice.runs.models import Processable
from backoffice.runs.pages import timeline

from ..parts.links import admin_url
from .origin import may_view

BIGGEST = 2**63 - 1  # of a primary key


def kind_called(label: str) -> type[Processable]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        model = None
    if model is None or not issubclass(model, Processable):
        raise Http404(_("There is no kind of record called “%s”.") % label)
    return model


class TimelineView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, label: str, pk: int) -> HttpResponse:
        model = kind_called(label)
        if not may_view(request.user, model):
            raise PermissionDenied
        record = model._base_manager.filter(pk=pk).first() if pk <= BIGGEST else None
        before = request.GET.get("before", "")
        found = timeline.of_record(model, pk, request.user, record=record, before=before) if pk <= BIGGEST else None
        if found is None or not (record or found.entries or before):
            raise Http404(_("Nothing is known about %(label)s %(pk)s.") % {"label": label, "pk": pk})
        name = capfirst(str(model._meta.verbose_name))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timeline of %s") % (record or f"{name} {pk}"),
            "record_url": admin_url(record) if record else "",
            "is_gone": record is None,
            "timeline": found,
            "timeline_before": before,
        }
        return TemplateResponse(request, "backoffice/timeline.html", context)
