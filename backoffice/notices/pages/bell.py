"""How many notices are unread: the bell of an open page asks for it by itself, so that no page waits for the count."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from ..models import Notice

MOST = 100  # are counted


class UnreadView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        unread = Notice.objects.of(request.user).unread()[:MOST].count()
        words = f"{MOST - 1}+" if unread >= MOST else str(unread)
        return JsonResponse({"unread": unread, "words": words}, headers={"Cache-Control": "no-store"})
