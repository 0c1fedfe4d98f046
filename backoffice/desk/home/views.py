"""The desk's page, and what it asks for again and again: the parts of it that move."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views import View

from .live import live
from .overview import overview


def index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    desk = overview(request)
    return context | {"desk": desk, "live": desk.live}


class LiveView(View):
    """unfold wraps it in the admin's own check of who is signed in."""

    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        answer = TemplateResponse(request, "backoffice/desk/live.html", {"live": live(request)})
        answer["Cache-Control"] = "no-store"
        return answer
