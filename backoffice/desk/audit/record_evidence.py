"""The evidence pack of one record: its timeline and what stands behind it, for as long as it is kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django_celery_results.models import TaskResult

from backoffice.results.batches import by_key, pages
from backoffice.results.models import Activity
from backoffice.runs.access import may_see
from backoffice.runs.change import shown, values
from backoffice.runs.models import ChangeSet, LeftAlone, RunItem
from backoffice.runs.pages import timeline
from backoffice.runs.pages.timeline import TimelineEntry

from ..models import RetentionPolicy
from .evidence import ITEM_COLUMNS, OFF_PAGES, item_cells, moves_of
from .evidence import told_of as changes_of
from .known import Known
from .pack import (
    ACTIVITY_FIELDS,
    HOW_TO_CHECK,
    RESULT_FIELDS,
    as_json,
    cell,
    csv_head,
    csv_lines,
    json_line,
    opened,
    taken,
    zipped,
)

AT_ONCE = 500
TIMELINE_COLUMNS = ("at", "what", "who", "run", "state", "said", "reason", "field", "before", "after")
UNTOLD = "outcomes.jsonl: {} are told to those who may see the runs they are of, or task results"
LOST = "outcomes.jsonl: {} of the outcomes in items.csv are not here: deleted by retention"
FILES = "record.json, changes.jsonl, left_alone.jsonl"


def pack(known: Known) -> Iterator[bytes]:
    """The manifest tells what the others hold, and so stands behind them."""
    holds = Counter[str]()
    files: dict[str, Callable[[], Iterable[bytes]]] = {
        "record.json": lambda: [as_json(as_it_stands(known), indent=2)],
        "timeline.csv": lambda: timeline_csv(known, holds),
        "items.csv": lambda: items_csv(known, holds),
        "outcomes.jsonl": lambda: outcomes(known, holds),
        "changes.jsonl": lambda: changes(known, holds),
        "left_alone.jsonl": lambda: left_alone(known, holds),
        "activity.jsonl": lambda: activities(known, holds),
        "manifest.json": lambda: [as_json(manifest(known, holds), indent=2)],
    }
    return zipped(files)


def manifest(known: Known, holds: Mapping[str, int]) -> dict[str, Any]:
    return {
        "record_type": known.label,
        "record_id": known.pk,
        "record": str(known),
        "is_gone": known.record is None,
        "since": known.span.since,
        "until": known.span.until,
        "holds": {name: holds[name] for name in ("timeline", "items", "outcomes", "changes", "left_alone", "activity")},
        "missing": list(missing(known, holds)),
        "kept_for_days": dict(RetentionPolicy.objects.values_list("kind", "days")),
        **taken(known.user),
        "files": {
            "record.json": "the record as it stood when the pack was taken; null where it does not exist any more",
            "timeline.csv": "what happened to it, newest first: one line per changed field, else one per entry",
            "items.csv": "the ledger: one line per run of the record",
            "outcomes.jsonl": "the task results of these, as stored",
            "changes.jsonl": 'what runs and plain calls changed in it, with types: {"decimal": "1.50"}',
            "left_alone.jsonl": "by undo that left it alone, and field: what was there before, after, and then",
            "activity.jsonl": "what people did to it",
            **HOW_TO_CHECK,
        },
    }


def missing(known: Known, holds: Mapping[str, int]) -> Iterator[str]:
    """Nothing is left out in silence."""
    if holds["untold"]:
        yield UNTOLD.format(holds["untold"])
    if holds["lost"]:
        yield LOST.format(holds["lost"])
    if hidden := sorted(shown.hidden_fields(known.model)):
        yield OFF_PAGES.format(FILES, ", ".join(hidden))


def as_it_stands(known: Known) -> dict[str, Any] | None:
    if known.record is None:
        return None
    hidden = shown.hidden_fields(known.model)
    fields = [field for field in known.model._meta.concrete_fields if field.name not in hidden]
    return {field.name: values.form(field.value_from_object(known.record)) for field in fields}


def timeline_csv(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    yield csv_head(TIMELINE_COLUMNS)
    before, is_more = "", True
    while is_more:
        page = known.page(before)
        holds["timeline"] += len(page.entries)
        yield csv_lines(line for entry in page.entries for line in lines_of(entry))
        before, is_more = page.older, bool(page.older)


def lines_of(entry: TimelineEntry) -> Iterator[list[str]]:
    told = (entry.at, entry.title, entry.who, entry.run_id, entry.label, entry.said, entry.reason)
    for change in entry.changes or (None,):
        field = (change.label, change.before, change.after) if change else ("", "", "")
        yield [cell(value) for value in (*told, *field)]


def item_pages(known: Known) -> Iterator[list[RunItem]]:
    """Those that ended within the days, and those that have not ended."""
    found = timeline.items_of(known.model, known.pk).select_related("run__task")
    ended = known.span.of("finished_at") & timeline.ENDED
    yield from pages(found.filter(ended), AT_ONCE, "run_id")
    in_work = list(found.filter(active=True, finished_at=None).order_by("run_id"))
    yield [item for item in in_work if timeline.begun(item) in known.span]


def items_csv(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    yield csv_head(("run", *ITEM_COLUMNS))
    for page in item_pages(known):
        holds["items"] += len(page)
        yield csv_lines([str(item.run_id), *item_cells(item.run, item)] for item in page)


def outcomes(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    may_see_all = known.user.has_perm("django_celery_results.view_taskresult")
    for page in item_pages(known):
        ended = [item for item in page if item.finished_at]
        told = [item.task_id for item in ended if may_see_all or may_see(known.user, item.run)]
        found = {row["task_id"]: row for row in TaskResult.objects.filter(task_id__in=told).values(*RESULT_FIELDS)}
        holds.update(outcomes=len(found), untold=len(ended) - len(told), lost=len(told) - len(found))
        yield b"".join(json_line(opened(found[task_id])) for task_id in told if task_id in found)


def changes(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    for page in item_pages(known):
        of_runs = shown.in_record(known.pk, (item.run_id for item in page if item.finished_at))
        for item in page:
            if found := of_runs.get(item.run_id):
                holds["changes"] += 1
                yield json_line({"run": item.run_id, "task": item.run.task.name, **told_of(known, found, item.task_id)})
    for found in by_key(shown.by_calls(known.model, known.pk).filter(known.span.of("at")), AT_ONCE):
        holds["changes"] += 1
        yield json_line({"run": None, "task": found.task, **told_of(known, found, found.task_id)})


def told_of(known: Known, found: ChangeSet, task_id: str) -> dict[str, Any]:
    fields = changes_of(found, shown.hidden_fields(known.model))
    told = {each.field: [each.before, each.after] for each in fields}
    return {"task_id": task_id, "at": found.at, "changes": told}


def left_alone(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    """Why, stands in items.csv."""
    hidden = shown.hidden_fields(known.model)
    for page in item_pages(known):
        runs = [item.run_id for item in page if item.is_left_alone]
        for row in LeftAlone.objects.filter(record_id=known.pk, run__in=runs).order_by("run_id") if runs else ():
            holds["left_alone"] += 1
            yield json_line({"run": row.run_id, "fields": moves_of(row, hidden)})


def activities(known: Known, holds: Counter[str]) -> Iterator[bytes]:
    log = Activity.objects.filter(known.span.of("at"), model=known.label, object_id=str(known.pk))
    for entry in by_key(log, AT_ONCE):
        holds["activity"] += 1
        yield json_line({name: getattr(entry, name) for name in ACTIVITY_FIELDS})
