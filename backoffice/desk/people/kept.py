"""A form that is sent after its session has ended: kept through the sign-in, and offered to the same person again.

Nothing of it is stored before that: it waits in the sign-in page, signed.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views import View

from . import devices
from .throttle import account_key

KEPT = "kept"
HOURS = 12
LONGEST = 48_000  # characters: the sign-in takes 64 KB
SHOWN = 30
MACHINE = {"seen", "form_token", "index", "select_across"}
TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - a field's name


class KeptMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method != "POST":
            return response
        if request.path == reverse("admin:login"):
            return taken(request, response)
        if is_sent_to_sign_in(request, response):
            return asked(request, response)
        if request.user.is_authenticated and request.session.get(KEPT, {}).get("path") == request.get_full_path():
            del request.session[KEPT]  # it is sent
        return response


def is_sent_to_sign_in(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Of a person's form, not of a script's."""
    by_script = "X-Requested-With" in request.headers or "text/html" not in request.headers.get("Accept", "")
    to = response.headers.get("Location", "").partition("?")[0]
    return not by_script and not request.user.is_authenticated and to == reverse("admin:login")


def asked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The sign-in page with the form in it, where this browser has been somebody's."""
    if not (account := devices.account_in(request)):
        return response
    if not (held := signed(request, account)):
        messages.warning(
            request, _("What you sent was not kept: files, passwords and very long forms never are. Sign in first.")
        )
        return response
    page: Any = copy(request)
    page.method, page.POST = "GET", QueryDict()
    sign_in = f"{reverse('admin:login')}?{urlencode({'next': request.path})}"
    found: Any = admin.site.login(page, {"app_path": sign_in, "next": request.path, KEPT: held})
    return found.render() if isinstance(found, TemplateResponse) else found


def signed(request: HttpRequest, account: str) -> str:
    """ "" of what is not to be kept."""
    pairs = [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN]
    if request.FILES or any("password" in name for name, _value in pairs):
        return ""
    found = signing.dumps(
        {"path": request.get_full_path(), "pairs": pairs, "account": account}, salt=KEPT, compress=True
    )
    return found if len(found) <= LONGEST else ""


def taken(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """After the sign-in of whoever sent it; of anybody else it is not even told what it was."""
    if not (request.POST.get(KEPT) and request.user.is_authenticated and response.status_code == 302):
        return response
    try:
        held = signing.loads(request.POST[KEPT], salt=KEPT, max_age=HOURS * 3600)
    except signing.BadSignature:
        held = {}
    if held.pop("account", "") != account_key(request.user.get_username()):
        messages.info(
            request, _("The form that was sent before you signed in was not yours, or is too old: it is gone.")
        )
        return response
    request.session[KEPT] = held
    return redirect("admin:desk_kept")


class KeptView(View):
    """What was sent, once more: to be sent, or not."""

    admin_site: Any = None
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if not (held := request.session.get(KEPT)):
            return redirect("admin:index")
        said = [(label_of(name), value) for name, value in held["pairs"] if value.strip() and label_of(name)]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send it now?"),
            "held": held,
            "said": said[:SHOWN],
            "more": max(len(said) - SHOWN, 0),
        }
        return TemplateResponse(request, "backoffice/kept.html", context, headers={"Cache-Control": "no-store"})

    def post(self, request: HttpRequest) -> HttpResponse:
        held = request.session.pop(KEPT, None)
        return redirect(held["path"] if held else "admin:index")


def label_of(name: str) -> str:
    """ "" of what nobody filled in."""
    return "" if name.startswith("_") or name in MACHINE else str(capfirst(name.replace("_", " ")))
