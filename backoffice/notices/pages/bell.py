"""How many notices are unread: the bell of an open page asks for it by itself, so that no page waits for the count."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views import View

from backoffice.runs.pages.numbers import row_number

from ..models import Notice

MOST = 100  # are counted


class UnreadView(View):
    admin_site: Any = None
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        mine = Notice.objects.of(request.user).unread()
        if run := row_number(request.GET.get("run", "")):  # whose page is open: nobody is told what they see
            mine.filter(run=run).update(read_at=timezone.now())
        unread = mine[:MOST].count()
        words = f"{MOST - 1}+" if unread >= MOST else str(unread)
        return JsonResponse({"unread": unread, "words": words}, headers={"Cache-Control": "no-store"})
