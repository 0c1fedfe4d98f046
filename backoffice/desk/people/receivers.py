"""Sign-ins and refusals in the activity log. They are django.contrib.auth's events, hence signals."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.results.activity import log

from ..parts.refusals import is_told, times
from . import throttle
from .address import client_address


def log_refusal(name: str, request: HttpRequest | None, reason: str, attempt: throttle.Try | None = None) -> None:
    """Each account by itself: its 1st, 10th, 100th try in a row, and the one from which on there is a wait."""
    attempt = attempt or getattr(request, "sign_in", None)
    number = attempt.number if attempt else 1
    if attempt is None or is_told(number) or attempt.locks:
        until = {"locked_until": f"{attempt.until:%H:%M:%S}"} if attempt and attempt.until else {}
        log(name or "nobody", "login.refused", reason=reason, address=client_address(request), times=number, **until)


def log_locked(name: str, request: HttpRequest, locked: throttle.LockedOut) -> None:
    """A try that was not heard. Those of a locked address together: the names it tries are without end."""
    where = client_address(request)
    number = times("locked", locked.kind, where if locked.kind == "address" else name)
    if is_told(number):
        log(name or "nobody", "login.locked", address=where, locked=locked.kind, times=number)


@receiver(user_logged_in)
def signed_in(sender: object, request: Any, user: Any, **kwargs: Any) -> None:
    if attempt := getattr(request, "sign_in", None):
        throttle.succeeded(attempt)
        request.signed_in_as = user.get_username()
    log(user, "login.succeeded", address=client_address(request))


@receiver(user_logged_out)
def signed_out(sender: object, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user is not None:
        log(user, "login.ended", address=client_address(request))


@receiver(user_login_failed)
def refused(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    name = credentials.get("username") or credentials.get(get_user_model().USERNAME_FIELD)
    log_refusal(str(name or ""), request, reason="unknown name or wrong password")
