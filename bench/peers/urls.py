"""An admin with one action, which hands the selection to the peer's `click`."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import path

from records.models import YourModel

click = import_module(settings.PEER + ".tasks").click


class RecordAdmin(admin.ModelAdmin):
    list_display = ["reference", "name", "country", "verdict", "processed"]
    actions = ["process_selected"]

    @admin.action(description="Process selected records")
    def process_selected(self, request: HttpRequest, queryset: Any) -> None:
        click(queryset)


site = admin.AdminSite()
site.register(YourModel, RecordAdmin)
urlpatterns = [path("admin/", site.urls)]
