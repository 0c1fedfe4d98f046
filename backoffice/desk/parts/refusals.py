"""Refused pages and actions in the activity log, in a way that no loop can flood it.

Within an hour the 1st, 10th, 100th ... refusal of the same thing is written, each with its number: a million tries make
seven entries.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from backoffice.results.activity import log

HOUR = 3600
ADMIN = "admin:"
NOT_OFFERED = "_not_offered"


def times(*what: str) -> int:
    """How often this happened within an hour, this time included. Counted by each web process for itself."""
    key = f"refusals:{sha256('\n'.join(what).encode()).hexdigest()}"
    cache.add(key, 0, HOUR)
    try:
        return cache.incr(key)
    except ValueError:  # it expired in between
        return 1


def is_told(number: int) -> bool:
    """The 1st, the 10th, the 100th ..."""
    return str(number).rstrip("0") == "1"


class RefusalMiddleware:
    """Notes each 403 of the admin, and refuses an action that is not offered to this person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 403:
            note(request, **getattr(request, NOT_OFFERED, {}))
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        model_admin: Any = getattr(view, "model_admin", None)
        action = request.POST.get("action", "") if request.method == "POST" else ""
        if not (
            model_admin and action and str(getattr(request.resolver_match, "url_name", "")).endswith("_changelist")
        ):
            return
        if not model_admin.has_view_permission(request):
            return
        if action not in model_admin.get_actions(request):
            setattr(request, NOT_OFFERED, {"action": action[:100]})
            raise PermissionDenied  # Django would say that none was selected


def note(request: HttpRequest, **details: str) -> None:
    match = request.resolver_match
    if match is None or not match.view_name.startswith(ADMIN):
        return
    # By route and not by address: the numbers in addresses are without end.
    who = getattr(request, "user", None) or "nobody"
    number = times(str(who), str(request.method), match.view_name, *details.values())
    if is_told(number):
        page = match.view_name.removeprefix(ADMIN)
        log(who, "access.refused", request.path, method=request.method, page=page, times=number, **details)
