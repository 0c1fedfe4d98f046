"""Group results, to look at."""

from collections.abc import Iterable
from typing import Any

import django_celery_results.admin  # noqa: F401 - registers what is replaced below
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_results.models import GroupResult
from unfold.decorators import display

from ..parts import cells
from ..parts.documents import pretty
from ..parts.filters import (
    ResultDayFilter,
)
from ..parts.readonly import Document, Fact, ReadOnlyAdmin

if admin.site.is_registered(GroupResult):
    admin.site.unregister(GroupResult)


@admin.register(GroupResult)
class GroupResultAdmin(ReadOnlyAdmin):
    list_display = ("group_id", "created", "finished")
    list_filter = (ResultDayFilter,)
    search_fields = ("group_id",)
    search_help_text = gettext_lazy("Exact group id")
    unread = ("result",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.filter(group_id=term.strip().replace("\x00", "")) if term.strip() else queryset), False

    @display(description=gettext_lazy("created"))
    def created(self, obj: Any) -> SafeString | str:
        return cells.moment(obj.date_created)

    @display(description=gettext_lazy("finished"))
    def finished(self, obj: Any) -> SafeString | str:
        return cells.moment(obj.date_done)

    def name_of(self, obj: Any) -> str:
        return str(obj.group_id)

    def facts(self, request: HttpRequest, obj: Any) -> Iterable[Fact]:
        yield Fact(_("Group id"), obj.group_id, mono=True)
        yield Fact(_("Created"), at=obj.date_created)
        yield Fact(_("Finished"), at=obj.date_done)

    def documents(self, request: HttpRequest, obj: Any) -> Iterable[Document]:
        yield Document(_("Result"), pretty(obj.result), is_open=True)
