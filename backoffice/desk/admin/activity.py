"""The activity log, to read."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display

from backoffice.results import verbs
from backoffice.results.models import Activity
from backoffice.runs.labels import task_label
from backoffice.runs.registry import record_tasks

from ..audit import details
from ..parts import cells
from ..parts.filters import ActivityDayFilter, Rows, clean
from ..parts.links import admin_url
from ..parts.readonly import Document, Fact, ReadOnlyAdmin


class KindFilter(DropdownFilter):
    """By the first word of the verb; what was done to one kind of thing belongs together."""

    title, parameter_name = gettext_lazy("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(verbs.kinds())

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        return rows.filter(verb__startswith=f"{self.value()}.") if self.value() else rows


class VerbFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("what was done"), "did"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(verbs.words().items())

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        return rows.filter(verb=self.value()) if self.value() else rows


class ActorFilter(TextFilter):
    title, parameter_name = gettext_lazy("who"), "who"

    def queryset(self, request: HttpRequest, rows: Rows) -> Rows:
        return rows.filter(actor__icontains=clean(self.value())) if self.value() else rows


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("when", "actor", "did", "target", "summary")
    list_display_links = ("when",)
    search_fields = ("actor", "target")  # and what `searched` finds
    search_help_text = gettext_lazy("Who, to what, its number, what was done, or its details")
    change_form_template = "backoffice/activity.html"
    list_filter = (KindFilter, VerbFilter, ActorFilter, ActivityDayFilter)

    @display(description=gettext_lazy("at"))
    def when(self, obj: Activity) -> SafeString | str:
        return cells.moment(obj.at)

    @display(description=gettext_lazy("did"))
    def did(self, obj: Activity) -> str:
        return verbs.in_words(obj.verb)

    @display(description=gettext_lazy("details"))
    def summary(self, obj: Activity) -> str:
        return details.in_a_line(obj)

    def get_search_results(self, request: HttpRequest, queryset: Rows, search_term: str) -> tuple[Rows, bool]:
        queryset = queryset.alias(written=Cast("details", TextField()))
        for word in clean(search_term).split():
            queryset = queryset.filter(searched(word))
        return queryset, False

    def name_of(self, obj: Activity) -> str:
        return f"{verbs.in_words(obj.verb)}: {obj.target}" if obj.target else verbs.in_words(obj.verb)

    def facts(self, request: HttpRequest, obj: Activity) -> Iterable[Fact]:
        yield Fact(_("At"), at=obj.at)
        told = {"name": obj.actor, "number": obj.actor_id}
        yield Fact(_("Who"), obj.actor if obj.actor_id is None else _("%(name)s, user %(number)d") % told)
        yield Fact(_("Did"), verbs.in_words(obj.verb))
        yield Fact(_("To what"), obj.target, url=url_of(request, obj))
        yield from (Fact(label, text) for label, text in details.facts(obj))

    def documents(self, request: HttpRequest, obj: Activity) -> Iterable[Document]:
        stored = {"verb": obj.verb, "user": obj.actor_id, "model": obj.model, "id": obj.object_id, **obj.details}
        yield Document(_("As it is stored"), json.dumps(stored, indent=2, ensure_ascii=False))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context["changes"] = details.changes(obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


def searched(word: str) -> Q:
    """By who, to what, its number, what was done as pages say it, and the details."""
    said = [verb for verb, words in verbs.words().items() if word.lower() in words.lower()]
    found = Q(actor__icontains=word) | Q(target__icontains=word) | Q(object_id=word) | Q(verb__in=said)
    return found | in_details(word)


def in_details(word: str) -> Q:
    """As they are stored, which SQLite does in ASCII, or by what a task is called."""
    tasks = [name for name in record_tasks() if word.lower() in task_label(name).lower()]
    spelled = Q(written__icontains=word) | Q(written__icontains=json.dumps(word)[1:-1])
    return spelled | Q(details__task__in=tasks)


def url_of(request: HttpRequest, entry: Activity) -> str:
    """The page of what it was done to, where it is still there and this person may look at it."""
    model = details.model_of(entry.model)
    model_admin = admin.site._registry.get(model) if model else None
    row = model_admin.get_object(request, entry.object_id) if model_admin and entry.object_id else None
    return admin_url(row) if row and model_admin and model_admin.has_view_permission(request, row) else ""
