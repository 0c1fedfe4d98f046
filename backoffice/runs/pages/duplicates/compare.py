"""What the admin of a record offers, where the model says by what its records are compared."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import listed, panel, side_by_side


class ComparesRecords:
    """A column and a filter, a panel and a page; and who adds or edits a record is told whom it looks like."""

    likeness_words: Mapping[str, Any] = {}  # by name of a likeness; without one the field's

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)  # type: ignore[misc]
        if "possible_duplicates" in found.list_display and hasattr(found, "result_list"):  # a schedule reads no list
            rows, shown = self.get_queryset(request), found.result_list  # type: ignore[attr-defined]
            others = listed.visible(rows, found.model, [row.pk for row in shown], marked=True)
            for row in shown:  # of a queryset the very rows that the page shows: it was read above
                row.others_alike = others.get(row.pk, [])
        return found

    @admin.display(description=gettext_lazy("possible duplicates"), empty_value="–")
    def possible_duplicates(self, record: Any) -> str | None:
        others = getattr(record, "others_alike", ())
        if not others:
            return None
        url = self.url_of("compare", record.pk, others[0])
        said = _("Compare %(one)s with %(other)s") % {"one": record, "other": _("a possible duplicate")}
        number = listed.number(others)
        return format_html('<a class="bo-link bo-num" href="{}" aria-label="{}: {}">{}</a>', url, number, said, number)

    def url_of(self, name: str, *args: int) -> str:
        opts: Any = self.opts  # type: ignore[attr-defined]
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        opts: Any = self.opts  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.compare_view)  # type: ignore[attr-defined]
        own = path("<int:pk>/compare/<int:other>/", view, name=f"{opts.app_label}_{opts.model_name}_compare")
        return [own, *super().get_urls()]  # type: ignore[misc]

    def compare_view(self, request: HttpRequest, pk: int, other: int) -> HttpResponse:
        return side_by_side.view(self, request, pk, other)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["record_duplicates"] = panel.of(self, request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        if not change or not set(form.instance.compared).isdisjoint(form.changed_data):
            self.tell_whom_it_looks_like(request, form.instance)

    def tell_whom_it_looks_like(self, request: HttpRequest, record: Any) -> None:
        if others := panel.looks_like(self, request, record):
            links = ((self.url_of("compare", record.pk, other.pk), other) for other in others)
            said = _("{record} may be the same as one that is there already. Compare: {others}")
            shown = format_html_join(", ", '<a class="bo-link" href="{}">{}</a>', links)
            messages.warning(request, format_html(said, record=record, others=shown))
