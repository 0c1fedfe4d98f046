"""What makes the page of a record one to work at; for its admin."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from ...database.bounded import TooSlow
from ..back import with_filters
from . import in_run, notes, steps, tabs

ENDS = {
    steps.NEXT: gettext_lazy("This is the last one of the list."),
    steps.PREVIOUS: gettext_lazy("This is the first one of the list."),
}


def stored(record: Any) -> Any:
    """Without what a form that is refused has typed into it."""
    return type(record)._base_manager.filter(pk=record.pk).first() or record


class Workbench:
    """Notes beside fields, tabs, the records before and after it in the list it was opened from."""

    admin_site: Any
    get_fieldsets: Any
    get_object: Any
    has_view_or_change_permission: Any
    message_user: Any
    opts: Any
    url_of: Any
    # The other parts of the page: a name of letters, words, and a template.
    record_tabs: Sequence[tuple[str, Any, str]] = (
        (tabs.DUPLICATES, gettext_lazy("Possible duplicates"), "runs/record/duplicates.html"),
        ("runs", gettext_lazy("Runs"), "runs/record/runs.html"),
        ("history", gettext_lazy("Timeline"), "runs/record/history.html"),
    )
    record_note = "runs/record/note.html"  # a template; draws one note

    def notes_of(self, record: Any) -> notes.Notes:
        """By the name of a field: what is said beside it."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        view = self.admin_site.admin_view(require_GET(self.step))
        return [path("<int:pk>/step/<str:way>/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            found = self.notes_of(obj if request.method == "GET" else stored(obj))
            notes.beside(context["adminform"].form, found)
            context |= {
                "record_notes": found,
                "record_note": self.record_note,
                "record_elsewhere": notes.elsewhere(self, self.get_fieldsets(request, obj), found),
                "record_tabs": tabs.of(self.record_tabs, context.get("record_duplicates")),
                "record_steps": {way: self.url_of("step", obj.pk, way) for way in steps.WAYS},
            }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[misc]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The record's own page tells what happened to it, runs too: Django's log knows nothing of that."""
        return redirect(f"{self.url_of('change', object_id)}#history")

    def beside(self, request: HttpRequest, record: Any, way: str) -> Any:
        """Among the records of the run one came from, or in the list."""
        try:
            return in_run.beside(self, request, record, way == steps.NEXT)
        except in_run.NotFromARun:
            return steps.beside(self, request, record, way)

    def step(self, request: HttpRequest, pk: int, way: str) -> HttpResponse:
        """To the page of the record before or after it; at an end, back to where one was."""
        record = self.get_object(request, str(pk))
        if not self.has_view_or_change_permission(request, record):
            raise PermissionDenied
        if record is None or way not in steps.WAYS:
            raise Http404
        try:
            found = self.beside(request, record, way)
        except (TooSlow, DisallowedModelAdminLookup) as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            if found is None:
                self.message_user(request, ENDS[way], messages.INFO)
            pk = pk if found is None else found
        return redirect(with_filters(request, self.url_of("change", pk)))
