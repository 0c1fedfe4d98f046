"""The way back to a list with the filters one came from it with: for links, forms and redirects of a list's pages.

The pages of a list are those below its address. Between them Django's own parameter carries the list's query.
"""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

FILTERS = "_changelist_filters"
RUN = "_of_run"  # in place of filters: the run, and which of its records, that one came from


def list_of(path: str) -> str:
    """The address of the list to which a page of the admin belongs: two steps below the admin's own."""
    home = reverse("admin:index")
    steps = path.removeprefix(home).split("/")
    return f"{home}{steps[0]}/{steps[1]}/" if path.startswith(home) and len(steps) > 2 else ""


def filters(request: HttpRequest) -> str:
    """The list's query, as this page knows it."""
    if FILTERS in request.GET:
        return request.GET[FILTERS]
    own = request.GET.copy()
    own.pop(RUN, None)
    return str(getattr(request, "list_filters", own.urlencode() if request.path == list_of(request.path) else ""))


def with_filters(request: HttpRequest, url: str) -> str:
    """An address of the same list's pages, with its filters; one that names others, or of another list, as it is."""
    parts, query = urlsplit(url), filters(request)
    if parts.netloc or not query or not parts.path or list_of(parts.path) != list_of(request.path):
        return url
    given = parse_qsl(parts.query, keep_blank_values=True)
    if parts.path != list_of(parts.path):
        knows = FILTERS in dict(given) or parts.query == query  # an export has the filter for its own
        given += [] if knows else [(FILTERS, query)]
    elif not given:
        given = parse_qsl(query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode(given)))


def afterwards(request: HttpRequest, list_url: str) -> str:
    """For an action on a row's page, sent to the list as a whole: the row may not match what one comes back to."""
    query = filters(request)
    return f"{list_url}?{urlencode({FILTERS: query})}" if query else list_url


class RedirectMiddleware:
    """Every redirect from a page of a list to another one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code in (301, 302) and list_of(request.path):
            response["Location"] = with_filters(request, response["Location"])
        return response
