"""Sessions end after hours in which nobody asked for a page; what an open page asks for by itself does not count."""

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

SEEN = "seen"
PRECISELY = 300  # seconds: a row written for every page would cost more than it tells


class IdleMiddleware:
    """Renews the session of a person who asks for pages. Scripts are answered in JSON, or say who they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        user: Any = getattr(request, "user", None)
        by_script = "X-Requested-With" in request.headers or "json" in response.headers.get("Content-Type", "")
        # After a sign-out, or where nothing looked, there is nobody to renew anything for.
        if not by_script and request.session.accessed and user is not None and user.is_authenticated:
            now = int(time.time())
            if now - request.session.get(SEEN, 0) >= PRECISELY:
                request.session[SEEN] = now
        return response
