"""Pages leave compressed: a list of records is a tenth of its size."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressedPages(GZipMiddleware):
    """Of what is written for people; files, which are compressed or long, leave as they are. Django's adds bytes by
    chance, so that the length tells nothing (BREACH)."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith(("text/html", "application/json"))
        return super().process_response(request, response) if is_page and not response.streaming else response
