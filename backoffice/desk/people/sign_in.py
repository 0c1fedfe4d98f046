"""The sign-in form and its page for those who are not heard."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm

from . import devices, throttle
from .address import client_address
from .receivers import log_locked, log_refusal


class SignInForm(AuthenticationForm):
    """Counts tries, and also logs whom Django refuses after a correct password, for which it sends no signal."""

    def clean(self) -> dict[str, Any]:
        name, password = (self.cleaned_data.get(field) or "" for field in ("username", "password"))
        if self.request is not None and name and password:
            request: Any = self.request
            try:
                request.sign_in = throttle.begin(name, client_address(request), devices.device_of(request, name))
            except throttle.LockedOut as locked:
                log_locked(name, request, locked)
                raise
        return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            log_refusal(user.get_username(), self.request, reason="not a member of staff")
            raise


class SignInMiddleware:
    """Gives a browser its cookie after a sign-in, and whoever is not heard a page that says until when."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if name := getattr(request, "signed_in_as", ""):
            devices.remember(response, name)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, throttle.LockedOut):
            return None
        seconds = max(1, ceil((exception.until - timezone.now()).total_seconds()))
        context = {"until": exception.until, "wait": in_words(seconds), "kind": exception.kind}
        page = render(request, "backoffice/locked_out.html", context, status=429)
        page["Retry-After"] = str(seconds)
        page["Cache-Control"] = "no-store"
        return page


def in_words(seconds: int) -> str:
    if seconds < 120:
        return ngettext("%(number)d second", "%(number)d seconds", seconds) % {"number": seconds}
    minutes = ceil(seconds / 60)
    return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
