"""What happened to one record, newest first: what people did, what runs and plain calls did.

Read by the record's id from indexes of that record, so it answers for a record that is gone, however many others are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _

from backoffice.results import activity, verbs
from backoffice.results.models import Activity

from ..access import may_see, may_undo
from ..change import seen, shown, told
from ..change.shown import Change, label_of
from ..labels import run_title, task_label
from ..models import Processable, Run, RunItem, TaskName
from .numbers import row_number
from .run import words

PAGE = 50
ENDED = Q(finished_at__isnull=False)
CALLS, PEOPLE, RUNS = 3, 2, 1  # of entries at the same moment, the highest comes first


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    rank: int
    number: int
    title: str
    who: str = ""
    said: str = ""
    state: str = ""
    label: str = ""
    url: str = ""
    changes: tuple[Change, ...] = ()
    reason: str = ""
    undo_url: str = ""

    @property
    def key(self) -> tuple[datetime, int, int]:
        return self.at, self.rank, self.number

    @property
    def run_id(self) -> int | None:
        return self.number if self.rank == RUNS else None


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[TimelineEntry]
    older: str = ""  # the key of the next page, "" when there is none


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment, up to another one without it; None: no end there."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def of(self, moment: str) -> Q:
        since = Q(**{f"{moment}__gte": self.since}) if self.since else Q()
        return since & Q(**{f"{moment}__lt": self.until}) if self.until else since


ALWAYS = Span()


@dataclass(frozen=True, slots=True)
class Window:
    """What a page shows of each source: of a span, what comes after the last entry of the page before it."""

    last: tuple[datetime, int, int] | None
    span: Span

    def of(self, rank: int, moment: str, number: str) -> Q:
        return older(self.last, rank, moment, number) & self.span.of(moment)


NEWEST = Window(None, ALWAYS)


def of_record(
    model: type[Processable],
    pk: int,
    user: Any,
    *,
    record: Any = None,
    before: str = "",
    items: Any = None,
    span: Span = ALWAYS,
) -> Timeline:
    """A page of what happened to a record; `record` is the row itself where it still exists, `items` are the newest
    ones where the caller has asked for them."""
    window = Window(parse_key(before), span)
    if window.last is not None:
        items = ended_ones(items_of(model, pk), window)
    elif items is None:
        items = newest_items(model, pk, window)
    over, in_work = [item for item in items if item.finished_at], [item for item in items if not item.finished_at]
    changed = shown.in_record(pk, (item.run_id for item in over))
    of_runs = [of_item(item, user, item.finished_at, shown.in_words(model, changed.get(item.run_id))) for item in over]
    entries = [*done_by_people(model, pk, window), *of_runs, *done_by_calls(model, pk, window)]
    entries.sort(key=lambda entry: entry.key, reverse=True)
    listed = [*(of_item(item, user, begun(item)) for item in in_work if begun(item) in span), *entries[:PAGE]]
    return Timeline(listed, as_key(listed[-1]) if len(entries) > PAGE else "")


def as_key(entry: TimelineEntry) -> str:
    return f"{entry.at.isoformat()}_{entry.rank}_{entry.number}"


def parse_key(text: str) -> tuple[datetime, int, int] | None:
    """The key of the last entry seen; None for what is none."""
    moment, _rest, numbers = text.partition("_")
    rank, number = (row_number(part) for part in numbers.partition("_")[::2])
    try:
        at = parse_datetime(moment)
    except ValueError:
        return None
    # At the edges of the calendar there is no such moment in UTC.
    if at is None or not is_aware(at) or not 1970 <= at.year <= 9000 or rank is None or number is None:
        return None
    return at, rank, number


def older(last: tuple[datetime, int, int] | None, rank: int, moment: str, number: str) -> Q:
    """What comes after that key on the page, among the rows of one source."""
    if last is None:
        return Q()
    at, seen, seen_number = last
    if rank == seen:
        return Q(**{f"{moment}__lt": at}) | Q(**{moment: at, f"{number}__lt": seen_number})
    return Q(**{f"{moment}__lte" if rank < seen else f"{moment}__lt": at})


def done_by_people(model: type[Processable], pk: int, window: Window) -> Iterator[TimelineEntry]:
    rows = Activity.objects.filter(window.of(PEOPLE, "at", "pk"), model=activity.label_of(model), object_id=str(pk))
    for row in rows.order_by("-at", "-pk")[: PAGE + 1]:
        changes = [*pairs(model, row.details.get("changes")), *kept(model, row.details.get("corrections"))]
        file = str(row.details.get("file") or "")
        reason = text(row.details.get("reason"))
        yield TimelineEntry(
            row.at, PEOPLE, row.pk, title_of(row), row.actor, file, changes=tuple(changes), reason=reason
        )


def title_of(row: Activity) -> str:
    imported = "file" in row.details
    titles = {
        "record.added": _("Added by an import") if imported else _("Added"),
        "record.edited": _("Changed by an import") if imported else _("Edited"),
        "record.deleted": _("Deleted"),
        "record.apart": _("Said to be no duplicate of %(other)s"),
        "record.apart_withdrawn": _("No longer said to be no duplicate of %(other)s"),
        "record.apart_ended": _("Changed since it was said to be no duplicate of %(other)s"),
    }
    title = titles.get(row.verb) or verbs.in_words(row.verb)
    return title.replace("%(other)s", text(row.details.get("other")))


def items_of(model: type[Processable], pk: int) -> Any:
    """By the record's id and every task number, which is how both indexes of the items begin."""
    tasks = list(TaskName.objects.values_list("pk", flat=True))
    kind = ContentType.objects.get_for_model(model)
    return RunItem.objects.filter(record_id=pk, task_no__in=tasks, run__record_type=kind).select_related("run__task")


def newest_items(model: type[Processable], pk: int, window: Window = NEWEST) -> list[RunItem]:
    """What waits for its time; what is in work, at most one per task; and then a page of what is over."""
    items = items_of(model, pk)
    planned = items.filter(run_id__in=planned_runs(model)).order_by("-run__due_at")
    return [*planned, *items.filter(active=True).order_by("-run_id"), *ended_ones(items, window)]


def planned_runs(model: type[Processable]) -> Any:
    """A handful, so that an item is found by its key: no other index has what is neither active nor over."""
    kind = ContentType.objects.get_for_model(model)
    return Run.objects.planned().filter(record_type=kind).order_by().values("pk")


def begun(item: RunItem) -> datetime:
    """Or when it is to begin."""
    planned = item.run.due_at if item.run.is_planned else None
    return item.started_at or planned or item.run.created_at


def state_of(item: RunItem) -> str:
    return _("planned") if item.run.is_planned else item.word


def ended_ones(items: Any, window: Window) -> list[RunItem]:
    ended = items.filter(window.of(RUNS, "finished_at", "run_id"), ENDED)
    return list(ended.order_by("-finished_at", "-run_id")[: PAGE + 1])


def of_item(item: RunItem, user: Any, at: datetime, changes: tuple[Change, ...] = ()) -> TimelineEntry:
    return TimelineEntry(
        at, RUNS, item.run_id,
        run_title(item.run),
        who(item.run),
        item.error.strip().rpartition("\n")[2] or words.in_words(item.run, item.outcome),
        item.state, state_of(item),
        reverse("admin:runs_run_change", args=[item.run_id]) if may_see(user, item.run) else "",
        changes,
        reason=item.run.reason,
        undo_url=undo_url(item, user) if changes else "",
    )  # fmt: skip


def undo_url(item: RunItem, user: Any) -> str:
    """Where what this run changed in the record can be taken back; "" where it cannot."""
    if not (item.run.is_finished and may_undo(user, item.run)):
        return ""
    return f"{reverse('admin:runs_run_undo', args=[item.run_id])}?record={item.record_id}"


def done_by_calls(model: type[Processable], pk: int, window: Window) -> Iterator[TimelineEntry]:
    rows = shown.by_calls(model, pk).filter(window.of(CALLS, "at", "pk"))
    for row in rows.order_by("-at", "-pk")[: PAGE + 1]:
        changes = shown.in_words(model, row)
        yield TimelineEntry(
            row.at, CALLS, row.pk, task_label(row.task), _("a plain call") if row.task_id else "", changes=changes
        )


def who(run: Run) -> str:
    return run.requester_name or run.schedule_name or _("system")


def pairs(model: type[Processable], changes: Any) -> Iterator[Change]:
    """Before and after by field, as the activity log and the records write them; anything else is passed over."""
    for field, pair in changes.items() if isinstance(changes, Mapping) else ():
        if isinstance(pair, Sequence) and len(pair) == 2 and not isinstance(pair, str):
            yield Change(label_of(model, field), *seen.differing(pair[0], pair[1], told.of_log(model, field)))


def kept(model: type[Processable], corrections: Any) -> Iterator[Change]:
    """Corrections that a deleted record left in the log."""
    for each in corrections if isinstance(corrections, list) else ():
        if isinstance(each, Mapping) and "field" in each:
            words = told.of_log(model, str(each["field"]))
            yield Change(label_of(model, str(each["field"])), words(each.get("before")), words(each.get("after")))


def text(value: Any) -> str:
    return "" if value is None else str(value)
