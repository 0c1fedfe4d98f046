"""Runs in a list: what each did to what, what came of it, and who asked; all of that is searched, too."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from ... import labels
from ...models import Run, State, Tally, TaskName, sees_schedules
from .. import progress
from ..numbers import row_number
from ..run import bar

TEXTS = ("requester_name", "selection", "schedule_name", "reason")


class MineFilter(admin.SimpleListFilter):
    """For those who see more than their own."""

    title = gettext_lazy("requested by")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("me"))] if sees_more_than_own(request.user) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(requester_id=request.user.pk) if self.value() == "1" else queryset


class RunTaskFilter(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        numbers = {str(name): pk for pk, name in super().field_choices(field, request, model_admin)}
        return [(numbers[name], label) for name, label in labels.choices(numbers)]


class RunList:
    """For the admin of runs, before ModelAdmin."""

    list_display = ("title", "came_to", "state_badge", "who", "created_at", "took")
    list_filter = (MineFilter, "state", "source", ("task", RunTaskFilter))
    list_select_related = ("task",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", *TEXTS)  # and what `searched` finds
    search_help_text = gettext_lazy("Number, task, selection, who, reason, outcome or error")
    ordering = ("-pk",)
    sortable_by = ()
    nothing_yet = gettext_lazy("Select records in their list and choose an action: what it does is watched here.")

    class Media:
        css = {"all": ["runs/run.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            with_parts(shown.result_list)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        for word in words_of(search_term):
            queryset = queryset.filter(searched(word))
        return queryset, False

    @display(description=gettext_lazy("run"))
    def title(self, run: Run) -> str:
        return f"{run.pk} · {labels.run_name(run)}"

    @display(description=gettext_lazy("outcomes"))
    def came_to(self, run: Any) -> str:
        told = getattr(run, "parts", ())
        context = {"parts": told, "run": run, "text": came_to_in_words(run, told)}
        return render_to_string("runs/came_to.html", context)

    @display(description=gettext_lazy("state"))
    def state_badge(self, run: Run) -> str:
        return render_to_string("backoffice/badge.html", {"state": run.state, "label": State(run.state).label})

    @display(description=gettext_lazy("who"))
    def who(self, run: Run) -> str:
        name = run.requester_name or run.schedule_name or _("system")
        return format_html('{} <span class="bo-subtle">{}</span>', name, run.source_words)

    @display(description=gettext_lazy("took"))
    def took(self, run: Run) -> str:
        return "–" if run.seconds is None else _("%.1f s") % run.seconds


def with_parts(runs: Iterable[Any]) -> None:
    """Give each run of a page its parts: one question."""
    by_run: dict[int, list[Tally]] = defaultdict(list)
    runs = list(runs)
    for tally in Tally.objects.filter(run__in=[run.pk for run in runs]):
        by_run[tally.run_id].append(tally)
    for run in runs:
        run.parts = bar.parts(run, by_run[run.pk])


def came_to_in_words(run: Any, told: Collection[bar.Part]) -> str:
    """What came of it; of one that goes on how far it is, too."""
    if not run.is_finished or not told:
        return progress.in_words(run)
    return progress.with_since(run, bar.in_words(told))


def sees_more_than_own(user: Any) -> bool:
    return user.has_perm("runs.view_run") or sees_schedules(user)


# --- search


def words_of(term: str) -> Iterator[str]:
    for word in smart_split(term.replace("\x00", "")):
        is_quoted = word[:1] in ("'", '"') and word[:1] == word[-1:] and len(word) > 1
        yield unescape_string_literal(word) if is_quoted else word


def searched(word: str) -> Q:
    found = Q(Exists(Tally.objects.filter(came_to(word), run=OuterRef("pk")))) | Q(task__in=tasks(word))
    for name in TEXTS:
        found |= Q(**{f"{name}__icontains": word})
    number = row_number(word)
    return found | Q(pk=number) if number is not None else found


def came_to(word: str) -> Q:
    """Outcomes by their word or code, failures by what they have in common."""
    is_outcome = Q(kind=Tally.Kind.OUTCOME)
    return is_outcome & (Q(key__icontains=word) | Q(key__in=codes(word))) | Q(words__icontains=word)


def codes(word: str) -> list[str]:
    """Of the outcomes that any admin of records calls so."""
    kinds = (own.outcome_choices for own in admin.site._registry.values() if hasattr(own, "outcome_choices"))
    return [code for choices in kinds for code, told in choices.items() if word.lower() in told.lower()]


def tasks(word: str) -> list[int]:
    every = TaskName.objects.values_list("pk", "name")
    return [pk for pk, name in every if word.lower() in labels.task_label(name).lower()]
