"""What the page of any record says beside its form: where it stands, what may be done, its runs, its timeline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.contrib.admin.utils import display_for_field
from django.db.models import Model, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from backoffice.results.values.text import said

from ..access import may_retry, may_see
from ..failing import outcome
from ..labels import run_title, task_label, what_it_does
from ..models import RunItem, State
from ..models.alike import alike
from ..registry import find
from . import record_log, timeline
from .run import words
from .run.words import Badge

SHOWN_RUNS = 10
RECENT = timedelta(minutes=1)  # in which a page is made, however slow


@dataclass(frozen=True, slots=True)
class Button:
    """Starts a run over this record; with `refusal`, why it cannot now."""

    label: str
    action: str
    url: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a task wrote into the record, and no form has."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class Line:
    """What one run made, or makes, of this record."""

    item: RunItem
    task: str
    title: str
    url: str
    badge: Badge
    outcome: Badge | None
    said: str

    @property
    def who(self) -> str:
        return timeline.who(self.item.run)

    @property
    def at(self) -> datetime:
        return self.item.finished_at or timeline.begun(self.item)


class RecordPage:
    """For templates, as `record_page`."""

    def __init__(self, model_admin: Any, record: Any, user: Any, before: str = "") -> None:
        self.admin, self.record, self.user, self.before = model_admin, record, user, before
        self.token = uuid4().hex
        self.asked: dict[Q, bool] = {}

    @property
    def facts(self) -> str:
        return str(self.admin.record_facts)

    @property
    def panels(self) -> Iterable[str]:
        return tuple(self.admin.record_panels)

    @property
    def stale_words(self) -> str:
        return str(self.admin.stale_words)

    # --- where it stands

    @cached_property
    def outcome(self) -> Badge | None:
        """As the record's own field says it, else as the last run that succeeded did."""
        if self.admin.outcome_field:
            found: Badge | None = self.admin.outcome_of(self.record)
            return found
        return next((line.outcome for line in self.outcomes if line.outcome and not line.item.run.is_undo), None)

    @property
    def processed(self) -> Badge | None:
        """None where no task of this kind of record sets it."""
        sets = any(task.processes for task in record_log.tasks_of(type(self.record)))
        return self.admin.processed_of(self.record) if sets else None

    @cached_property
    def failure(self) -> Line | None:
        """The last check's, where it failed and no later run has mended that."""
        found = outcome.failures(self.admin.checks, [self.record.pk]).select_related("run__task").first()
        return self.line(found) if found else None

    @property
    def may_retry(self) -> bool:
        return self.failure is not None and may_retry(self.user, self.failure.item.run)

    @cached_property
    def doubt(self) -> Badge | None:
        """In place of an outcome that is of the time before."""
        known = self.outcome or self.record.processed_at
        found: Badge | None = self.admin.doubt(self.record, known, failed=self.failure is not None)
        return found

    @property
    def old_words(self) -> str:
        return as_of(self.outcome, self.processed_at) if self.outcome else ""

    @property
    def is_stale(self) -> bool:
        """An outcome is there, of other inputs than these."""
        known = self.outcome or self.record.processed_at
        return bool(self.processed and known and not self.record.processed)

    @cached_property
    def processed_at(self) -> datetime | None:
        """Of what an undo has set back nobody knows it."""
        if self.record.processed_at:
            found: datetime = self.record.processed_at
            return found
        last = next((line.item for line in self.outcomes if line.item.state == State.SUCCESS), None)
        return None if last is None or last.run.is_undo else last.finished_at

    @property
    def results(self) -> list[Result]:
        if not (self.outcomes or self.record.processed):
            return []
        fields = [field for field in self.record._meta.concrete_fields if field.name in self.written]
        return [Result(str(field.verbose_name), self.shown(field)) for field in fields]

    @cached_property
    def written(self) -> set[str]:
        """By a task of this kind of record, in fields of its own."""
        named = {name for task in record_log.tasks_of(type(self.record)) for name in task.writes}
        found = {field for field in self.record._meta.concrete_fields if {field.name, field.attname} & named}
        elsewhere = {*(self.admin.exclude or ()), *self.admin.readonly_fields}
        return {field.name for field in found if not field.editable} - record_log.OURS - elsewhere

    def shown(self, field: Any) -> Any:
        value = record_log.said(field, self.record)
        try:
            return value if field.is_relation else display_for_field(value, field, "–")
        except Exception:  # a value that has no truth of its own, such as an array
            return said(value)

    # --- its runs

    @cached_property
    def items(self) -> list[RunItem]:
        return timeline.newest_items(type(self.record), self.record.pk)

    @cached_property
    def lines(self) -> list[Line]:
        return [self.line(item) for item in self.items]

    @property
    def runs(self) -> list[Line]:
        return self.lines[:SHOWN_RUNS]

    @property
    def awaited(self) -> list[Line]:
        """The runs whose outcome the page has not."""
        in_work = [line for line in self.lines if line.item.active]
        return in_work or (self.outcomes[:1] if self.is_behind() else [])

    def is_behind(self) -> bool:
        """Whether a run has ended between the moment this page read the record and the one it read the runs."""
        ended = max((line.item.finished_at for line in self.outcomes if line.item.finished_at), default=None)
        if ended is None or timezone.now() - ended > RECENT:
            return False
        now = type(self.record)._base_manager.filter(pk=self.record.pk).first()
        fields = self.record._meta.concrete_fields
        both = ((each, each.value_from_object(self.record), each.value_from_object(now)) for each in fields if now)
        return not all(alike(*each) for each in both)

    @property
    def at_work_url(self) -> str:
        return str(self.admin.url_of("at_work", self.record.pk))

    @cached_property
    def outcomes(self) -> list[Line]:
        """The last run of each task that is over, the newest first; an undo that left it alone says nothing of it."""
        last: dict[int, Line] = {}
        for line in self.lines:
            if line.item.finished_at and not line.item.is_left_alone:
                last.setdefault(line.item.run.task_id, line)
        return list(last.values())

    def line(self, item: RunItem) -> Line:
        outcome, detail = words.split(item.run, item.outcome)
        seen = may_see(self.user, item.run)
        return Line(
            item, what_it_does(item.run), run_title(item.run),
            reverse("admin:runs_run_change", args=[item.run_id]) if seen else "",
            Badge(timeline.state_of(item), item.state.lower()),
            outcome,
            item.error.strip().rpartition("\n")[2] or detail,
        )  # fmt: skip

    # --- what may be done

    def buttons_for(self, request: Any) -> list[Button]:
        return [
            Button(task_label(task.name), name, self.url_of(name), self.refusal(task))
            for name, task in ((name, find(task)) for name, task in self.admin.tasks_at_once(request).items())
            if name not in self.admin.buttons_elsewhere
        ]

    def url_of(self, action: str) -> str:
        opts: Any = self.record._meta
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_run", args=[self.record.pk, action])

    def refusal(self, task: Any) -> str:
        fits = task.eligible is None or self.fits(task.eligible)
        return "" if fits else str(task.not_eligible or _("not eligible"))

    def fits(self, condition: Q) -> bool:
        """Asked once, for however many tasks."""
        if condition not in self.asked:
            rows: Any = type(self.record)._base_manager
            self.asked[condition] = rows.filter(condition, pk=self.record.pk).exists()
        return self.asked[condition]

    # --- what happened

    @cached_property
    def timeline(self) -> timeline.Timeline:
        model = type(self.record)
        record, before = self.record, self.before
        return timeline.of_record(model, record.pk, self.user, record=record, before=before, items=self.items)

    @property
    def label(self) -> str:
        return str(self.record._meta.label_lower)


def as_of(old: Badge, at: datetime | None) -> str:
    """An outcome of the time before."""
    if at is None:
        return _("%(outcome)s before") % {"outcome": old.word}
    return _("%(outcome)s as of %(when)s") % {"outcome": old.word, "when": f"{localtime(at):%Y-%m-%d %H:%M}"}


def name_of(record: Model) -> str:
    return f"{record._meta.verbose_name} {record}"
