"""The theme's own page that falls short: the search for pages takes any address."""

from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse


def search(request: HttpRequest) -> HttpResponse:
    """The search for pages. unfold raises for a page of results that is no number, or beyond the end."""
    try:
        answer: HttpResponse = admin.site.search(request)  # type: ignore[attr-defined]
    except (InvalidPage, ValueError):
        raise Http404 from None
    return answer
