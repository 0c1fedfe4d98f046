"""The theme's own pages where they fall short: one takes any address, one is written into the activity log."""

from django.contrib import admin
from django.core.paginator import InvalidPage
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse

from backoffice.results.activity import log


def search(request: HttpRequest) -> HttpResponse:
    """The search for pages. unfold raises for a page of results that is no number, or beyond the end."""
    try:
        answer: HttpResponse = admin.site.search(request)  # type: ignore[attr-defined]
    except (InvalidPage, ValueError):
        raise Http404 from None
    return answer


def password_change(request: HttpRequest) -> HttpResponse:
    """One's own, logged like those that are set for others."""
    with transaction.atomic():
        answer: HttpResponse = admin.site.password_change(request)
        if request.method == "POST" and answer.status_code == 302:
            log(request.user, "user.password_set", request.user)  # type: ignore[arg-type]
    return answer
