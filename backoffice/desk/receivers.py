"""Sign-ins and refusals in the activity log. They are django.contrib.auth's events, hence signals."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.results.activity import log

from .refusals import is_told, times

MANY = 20  # refused sign-ins from one address within an hour


def address(request: HttpRequest | None) -> str:
    return request.META.get("REMOTE_ADDR", "") if request is not None else ""


def log_refusal(name: str, request: HttpRequest | None, reason: str) -> None:
    # Postgres refuses NUL in text, and a refusal must not become an error page.
    name, where = name.replace("\x00", "")[:150] or "nobody", address(request)
    # Whoever tries many names from one address has them counted together.
    number = times("login", where)
    if number <= MANY:
        number = times("login", where, name)
    if is_told(number):
        log(name, "login.refused", reason=reason, address=where, times=number)


@receiver(user_logged_in)
def signed_in(sender: object, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    log(user, "login.succeeded", address=address(request))


@receiver(user_logged_out)
def signed_out(sender: object, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user is not None:
        log(user, "login.ended", address=address(request))


@receiver(user_login_failed)
def refused(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    log_refusal(str(credentials.get("username") or ""), request, reason="unknown name or wrong password")
