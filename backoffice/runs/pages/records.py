"""The admin of a record: its list, its page, and the buttons on it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..failing import outcome
from ..registry import RecordTask, registered
from . import record_log
from .actions import RecordActions
from .duplicates.compare import ComparesRecords
from .in_place.record import RunsInPlace
from .listing.named import Named
from .listing.usual import usual
from .lists import shown_to
from .record_page import RecordPage, as_of
from .run.words import Badge
from .workbench.record import Workbench

ORDINARY = ("good", "calm", "yes", "no")
COLOURS = ("good", "bad", "warning", "info", "hint", "calm")


class ProcessableAdmin(ComparesRecords, RunsInPlace, Workbench, RecordActions):
    """For the admin of a record, before ModelAdmin. What stands here as a value is a team's to set."""

    list_display: Sequence[Any] = ("__str__", "outcome_badge", "processed_badge", "processed_when")
    outcome_field = ""  # of the record, that keeps the label of its outcome; without one the last run's is shown
    outcome_words: Mapping[str, Any] = {}  # by label; without one the field's choices, else the label
    outcome_colours: Mapping[str, str] = {}  # by label: good, bad, warning, info, hint or calm
    value_words: Mapping[str, Callable[[Any], str]] = {}  # by field, such as one of JSON: its value on pages, in words
    processed_words: tuple[Any, Any] = (_("processed"), _("not processed"))  # of `processed`: yes, and no
    outdated_words: Any = _("not processed yet")  # in the outcome's place, after an edit
    failed_words: Any = _("last run failed")  # in the outcome's place, until a later run succeeds
    stale_words: Any = _("The inputs have changed since: process the record again.")  # after an edit
    record_facts = "runs/record/facts.html"  # a template; beside the badges above the form
    record_panels: Sequence[str] = ("runs/record/outcome.html",)  # templates below the form, in this order
    buttons_elsewhere: Sequence[str] = ()  # names of actions that have a button in a panel of their own
    change_form_outer_before_template = "runs/record/head.html"
    change_form_outer_after_template = "runs/record/panels.html"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        field = next((each for each in self.opts.fields if each.name == self.outcome_field), None)
        if field:
            sortable = admin.display(description=field.verbose_name, ordering=field.name, empty_value="–")
            self.outcome_badge = sortable(partial(type(self).outcome_badge, self))  # type: ignore[method-assign]

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(css={"all": ["runs/record.css"]}, js=["runs/selection.js", "runs/record.js"])

    # --- words and colours

    def outcome_badge_of(self, label: str, word: Any = None) -> Badge:
        return Badge(str(self.outcome_words.get(label, word or label)), self.outcome_colours.get(label, "calm"))

    @property
    def outcome_choices(self) -> dict[str, str]:
        """Its codes with their words."""
        if not self.outcome_field:
            return {}
        field = self.model._meta.get_field(self.outcome_field)  # type: ignore[attr-defined]
        return {str(code): str(self.outcome_words.get(code, word)) for code, word in field.flatchoices}

    def outcome_badge_by(self, task: str, label: str) -> Badge:
        """Of what a task said. One that writes the record's outcome said what its field holds; before there were
        codes, that field's word for it."""
        if not self.outcome_field or self.outcome_field not in getattr(registered().get(task), "writes", ()):
            return self.outcome_badge_of(label)
        choices = self.outcome_choices
        code = label if label in choices else next((code for code, word in choices.items() if word == label), label)
        return self.outcome_badge_of(code, choices.get(code))

    def outcome_detail(self, detail: str) -> str:
        """What a task said beside the label, for pages: a team's codes in words."""
        return detail

    def outcome_of(self, record: Any) -> Badge | None:
        """As the record's own field keeps it."""
        label = getattr(record, self.outcome_field, "") if self.outcome_field else ""
        if not label:
            return None
        choices = dict(record._meta.get_field(self.outcome_field).flatchoices)
        return self.outcome_badge_of(str(label), choices.get(label))

    def processed_of(self, record: Any) -> Badge:
        yes, no = self.processed_words
        return Badge(str(yes), "yes") if record.processed else Badge(str(no), "no")

    def doubt(self, record: Any, known: Any, *, failed: bool) -> Badge | None:
        """What takes the place of an outcome that is of the time before; None where it is of now."""
        if failed:
            return Badge(str(self.failed_words), "bad")
        if known and not record.processed and self.sets_processed:
            return Badge(str(self.outdated_words), "warning")
        return None

    def outcome_now(self, record: Any) -> tuple[Badge | None, str]:
        """In a list: the outcome, or what takes its place beside the words for the one of the time before."""
        found = self.outcome_of(record)
        doubt = self.doubt(record, found, failed=outcome.has_failed(record))
        return doubt or found, as_of(found, record.processed_at) if doubt and found else ""

    def outcomes_in_words(self, records: Iterable[Any]) -> list[str]:
        """As the list says them, of many records: one question."""
        records = list(records)
        outcome.mark(records, self.checks)
        return [in_words(*self.outcome_now(record)) for record in records]

    def is_current(self, record: Any) -> bool:
        """In a list: its outcome is there, and of what the record is now."""
        known = self.outcome_of(record)
        return bool(known) and not self.doubt(record, known, failed=outcome.has_failed(record))

    @cached_property
    def checks(self) -> list[RecordTask]:
        return outcome.checks(self.model, self.outcome_field)  # type: ignore[attr-defined]

    @cached_property
    def sets_processed(self) -> bool:
        return any(task.processes for task in record_log.tasks_of(self.model))  # type: ignore[attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            outcome.mark(shown.result_list, self.checks)
        return response

    def get_named_filters(self, request: HttpRequest) -> Named:
        return self.named_filters or usual(self, request, shown_to(self, request))

    # --- columns

    @admin.display(description=_("outcome"), empty_value="–")
    def outcome_badge(self, record: Any) -> str | None:
        shown, old = self.outcome_now(record)
        if shown and old:
            return format_html('{} <span class="bo-subtle">{}</span>', cell(shown), old)
        return cell(shown) if shown else None

    @admin.display(description=_("processed"), ordering="processed")
    def processed_badge(self, record: Any) -> str:
        return cell(Badge(gettext("failed"), "bad") if outcome.has_failed(record) else self.processed_of(record))

    @admin.display(description=_("processed at"), ordering="processed_at", empty_value="–")
    def processed_when(self, record: Any) -> str | None:
        if record.processed_at is None:
            return None
        return format_html('<span class="bo-num">{}</span>', f"{localtime(record.processed_at):%Y-%m-%d %H:%M}")

    # --- the record's page

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            page = RecordPage(self, obj, request.user, request.GET.get("before", ""))
            context |= {"record_page": page, "record_buttons": page.buttons_for(request)}
            context["awaited"] = page.awaited if request.method == "GET" else ()  # what was sent is not loaded again
        may = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)  # type: ignore[attr-defined]
        if may and not context.get("is_popup"):
            own = context.get("actions_submit_line") or ()
            context["actions_submit_line"] = [*own, *self.submit_buttons(request)]
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


def in_words(shown: Badge | None, old: str) -> str:
    """not checked yet (correctable as of 2026-11-27 10:00)"""
    return f"{shown.word} ({old})" if shown and old else shown.word if shown else ""


def cell(badge: Badge) -> str:
    """In a list: a badge where somebody should look, plain words in every ordinary row."""
    if badge.colour in ORDINARY:
        return format_html('<span class="bo-plain">{}</span>', badge.word)
    return format_html('<span class="bo-badge bo-badge--{}">{}</span>', badge.colour, badge.word)
