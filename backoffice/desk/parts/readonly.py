"""Admin for rows the system writes: nobody adds, changes or deletes them, superusers neither."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from backoffice.runs.pages.staff import StaffAdmin

from .documents import LONGEST
from .keyset import KeysetChangeList

READING = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a detail page."""

    label: str
    value: object = ""
    url: str = ""
    badge: str = ""
    mono: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A long text of a detail page, folded or open."""

    title: str
    text: str
    is_open: bool = False
    url: str = ""

    @property
    def shown(self) -> str:
        return self.text[:LONGEST]

    @property
    def is_cut(self) -> bool:
        return len(self.text) > LONGEST


class Named:
    """A row under a name that people can read: unfold's header shows the text of the object itself."""

    def __init__(self, row: Any, name: str) -> None:
        self._row, self._name = row, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._row, attribute)

    def __str__(self) -> str:
        return self._name


class ReadOnlyAdmin(StaffAdmin, ModelAdmin):
    """Lists rows newest first by keyset pages; shows one as facts and documents."""

    actions = None
    list_per_page = 50
    sortable_by: Sequence[str] = ()
    show_full_result_count = False
    fieldsets = ((None, {"fields": ()}),)
    change_form_template = "backoffice/detail.html"
    unread: tuple[str, ...] = ()  # long columns a list does without

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method not in READING:
            raise PermissionDenied
        request.is_list = True  # type: ignore[attr-defined]
        title = {"title": str(self.opts.verbose_name_plural)}
        return super().changelist_view(request, (extra_context or {}) | title)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.defer(*self.unread) if getattr(request, "is_list", False) else rows

    def dress(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        """Add to the rows of a page what its columns show, in few queries."""
        return rows

    def name_of(self, obj: Any) -> str:
        return str(obj)

    def facts(self, request: HttpRequest, obj: Any) -> Iterable[Fact]:
        return ()

    def documents(self, request: HttpRequest, obj: Any) -> Iterable[Document]:
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        documents = [document for document in self.documents(request, obj) if document.text]
        name = self.name_of(obj)
        context |= {"original": Named(obj, name), "title": name, "subtitle": None, "show_history": False}
        context |= {"facts": list(self.facts(request, obj)), "documents": documents}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
