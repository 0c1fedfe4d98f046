"""A record's timeline on a page of its own, which outlives the record."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views import View

from ..parts.links import admin_url
from .known import asked, misread


class TimelineView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, label: str, pk: int) -> HttpResponse:
        known, before, wrong = asked(request, label, pk), request.GET.get("before", ""), misread(request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timeline of %s") % known,
            "known": known,
            "record_url": admin_url(known.record) if known.record else "",
            "timeline": None if wrong else known.page(before),
            "timeline_before": before,
            "misread": wrong,
            "days": {name: request.GET.get(name, "") for name in ("since", "until")},
        }
        return TemplateResponse(request, "backoffice/timeline.html", context)
