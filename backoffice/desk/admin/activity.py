"""The activity log, to read."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display

from backoffice.results import verbs
from backoffice.results.models import Activity

from ..parts import cells
from ..parts.filters import ActivityDayFilter, Rows, clean
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
    list_filter = (KindFilter, VerbFilter, ActorFilter, ActivityDayFilter)

    @display(description=gettext_lazy("at"))
    def when(self, obj: Activity) -> SafeString | str:
        return cells.moment(obj.at)

    @display(description=gettext_lazy("did"))
    def did(self, obj: Activity) -> str:
        return verbs.in_words(obj.verb)

    @display(description=gettext_lazy("details"))
    def summary(self, obj: Activity) -> str:
        line = ", ".join(f"{name}: {value}" for name, value in obj.details.items() if value not in ("", None))
        return line if len(line) <= 120 else line[:119] + "…"

    def facts(self, request: HttpRequest, obj: Activity) -> Iterable[Fact]:
        yield Fact(_("At"), at=obj.at)
        yield Fact(_("Who"), obj.actor)
        yield Fact(
            _("User"),
            obj.actor_id
            if obj.actor_id is not None
            else _("none: the machine, nobody signed in, or people here have no numbers"),
        )
        yield Fact(_("Did"), verbs.in_words(obj.verb))
        yield Fact(_("Verb"), obj.verb, mono=True)
        yield Fact(_("To what"), obj.target)
        if obj.model:
            yield Fact(_("Object"), f"{obj.model} {obj.object_id}", mono=True)

    def documents(self, request: HttpRequest, obj: Activity) -> Iterable[Document]:
        yield Document(_("Details"), json.dumps(obj.details, indent=2, ensure_ascii=False) if obj.details else "", True)
