from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.generic import RedirectView

from backoffice.desk.home import anything
from backoffice.notices.pages.unsubscribe import UnsubscribeView


def healthz(request: HttpRequest) -> HttpResponse:
    """Says that the web process answers, and nothing about the rest: the desk does that, to people logged in."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("notices/unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="notices_unsubscribe"),
    path("admin/search/", admin.site.admin_view(anything.search)),
    path("admin/", admin.site.urls),
]
