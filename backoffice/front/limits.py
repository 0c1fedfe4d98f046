"""How large the body of a request may be, by its path; a larger one is refused by what it announces, and never read."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _


def largest(path: str) -> int:
    """In bytes. `path` is unquoted."""
    for pattern, size in settings.FRONT_BODY_BYTES.items():
        if re.search(pattern, path):
            return int(size)
    return int(settings.FRONT_BODY_BYTES_ELSEWHERE)


class BodyLimitMiddleware:
    """Stands before everything that reads a body, so that it holds under any web server."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return refusal(request) or self.get_response(request)


def refusal(request: HttpRequest) -> HttpResponse | None:
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        words = _("The size of what you sent was not announced. Send it with a Content-Length.")
        return render(request, "refused_body.html", {"words": words}, status=411)
    announced = request.META.get("CONTENT_LENGTH") or "0"
    most = largest(request.path_info)
    if not announced.isdecimal() or int(announced) > most:
        words = _("What you sent is larger than the %(most)s that this page takes. None of it was kept.") % {
            "most": filesizeformat(most)
        }
        return render(request, "refused_body.html", {"words": words}, status=413)
    return None
