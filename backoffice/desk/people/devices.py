"""Browsers in which somebody has signed in: what others get wrong about the account is not held against them."""

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from .throttle import account_key

COOKIE = "backoffice_device"
KEPT = 180 * 24 * 3600  # seconds


def device_of(request: HttpRequest, name: str) -> str:
    """Empty unless this account has signed in with this browser. Each browser has its own number, so its own count."""
    value = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=KEPT) or ""
    number, _, account = value.partition(":")
    return number if account == account_key(name) else ""


def account_in(request: HttpRequest) -> str:
    """The key of the account that signed in last with this browser; "" of none."""
    value = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=KEPT) or ""
    return value.partition(":")[2]


def remember(response: HttpResponseBase, name: str) -> None:
    value = f"{secrets.token_hex(12)}:{account_key(name)}"
    flags: Any = {"httponly": True, "samesite": "Lax", "secure": settings.SESSION_COOKIE_SECURE}
    response.set_signed_cookie(COOKIE, value, salt=COOKIE, max_age=KEPT, path=settings.SESSION_COOKIE_PATH, **flags)
