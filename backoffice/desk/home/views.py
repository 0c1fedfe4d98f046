"""The desk's page and the small address it polls."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from backoffice.runs.pages.numbers import row_number

from . import overview

MOST_KNOWN = 50


def index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context | {"desk": overview.overview(request.user), "blank_run": overview.RunRow()}


class RunningView(View):
    """The runs this person may see, as JSON. unfold wraps it in the admin's own check of who is signed in."""

    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        parts = request.GET.get("known", "").split(",")[:MOST_KNOWN]
        known = [number for part in parts if (number := row_number(part)) is not None]
        answer = JsonResponse(overview.progress(request.user, known))
        answer["Cache-Control"] = "no-store"
        return answer
