"""The evidence pack of a run: one ZIP, of rows that are read by key, a page at a time."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from django_celery_results.models import TaskResult

from backoffice.results.batches import by_key
from backoffice.results.models import Activity
from backoffice.results.values.spreadsheet import disarm
from backoffice.runs import parameters
from backoffice.runs.access import may_see_records
from backoffice.runs.change.shown import hidden_fields, of_run
from backoffice.runs.change.values import words
from backoffice.runs.models import ChangeSet, FieldChange, LeftAlone, Run, RunItem
from backoffice.runs.pages.run import bar

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

NOT_HELD = {
    "items.csv": "of the records that the run counts are no longer in the ledger: deleted by retention",
    "outcomes.jsonl": "of the outcomes that the run counts are not here: retention deleted them, or their items",
}
LEFT_ALONE = "records that the undo left alone: by field what was there before, after, and then"
OFF_PAGES = "{}: fields that are kept off the record's pages are not here: {}"
HIGHEST = 2**63 - 1
AT_ONCE = 1_000  # items read and written in one go
ITEM_COLUMNS = (
    *("record_id", "task_id", "state", "attempts", "retries", "deaths"),
    *("started_at", "finished_at", "outcome", "error"),
)
RUN_FIELDS = (
    *("purpose", "undoes_id", "source", "requester_name", "schedule_name", "retry_of_id", "selection", "parameters"),
    *("reason", "state"),
    *("created_at", "due_at", "activated_at", "started_at", "finished_at", "cancelled_at", "cancelled_by"),
    "cancel_reason",
)
CHANGE_COLUMNS = ("record_id", "record", "task_id", "at", "field", "before", "after")
COUNTS = ("total", "succeeded", "failed", "revoked", "conflicts", "skipped", "skip_reasons")


def pack(run: Run, by: object) -> Iterator[bytes]:
    """The bytes of the ZIP: items, outcomes, changes, activity, the manifest, and the SHA-256 of each of them.

    The manifest tells what the others hold, and so stands behind them: retention may delete while they are written.
    """
    holds = Counter[str]()
    tell = may_tell_changes(run, by)
    files: dict[str, Callable[[], Iterable[bytes]]] = {
        "items.csv": lambda: items_csv(run, holds),
        "outcomes.jsonl": lambda: outcomes(run, holds),
        "changes.csv": lambda: changes_csv(run) if tell else (),
        "changes.jsonl": lambda: changes(run, holds) if tell else (),
        **({"left_alone.jsonl": lambda: left_alone(run) if tell else ()} if run.is_undo else {}),
        "activity.jsonl": lambda: activities(run),
        "manifest.json": lambda: [as_json(manifest(run, by, holds), indent=2)],
    }
    return zipped(files)


def manifest(run: Run, by: object, holds: Mapping[str, int]) -> dict[str, Any]:
    model = run.record_type.model_class()
    return {
        "run": run.pk,
        "uid": run.uid,
        "task": run.task.name,
        "record_type": model._meta.label_lower if model else str(run.record_type),
        **{name: getattr(run, name) for name in RUN_FIELDS},
        "parameters": parameters.shown(run.task.name, run.parameters),
        "counts": {name: getattr(run, name) for name in COUNTS},
        **came_to(run),
        "holds": {name: holds[name] for name in ("items", "outcomes", "changes")},
        "missing": [*missing(run, holds), *missing_changes(run, by)],
        "is_finished": run.is_finished,
        **taken(by),
        "files": {
            "items.csv": "the ledger: one line per record of the run",
            "outcomes.jsonl": "the task results of these records, as stored",
            "changes.csv": "what changed in these records: one line per field, before and after, as text",
            "changes.jsonl": 'the same, one line per record, with types: {"decimal": "1.50"}',
            **({"left_alone.jsonl": LEFT_ALONE} if run.is_undo else {}),
            "activity.jsonl": "what people did to the run",
            **HOW_TO_CHECK,
        },
    }


def came_to(run: Run) -> dict[str, dict[str, int]]:
    """How many records came to what, in words: known also where retention has deleted these."""
    tallies = list(run.tallies.all())
    return {
        "outcomes": {part.badge.word: part.number for part in bar.outcomes(run, tallies)},
        "failures": {group.words: group.number for group in bar.groups(tallies)},
    }


def missing(run: Run, holds: Mapping[str, int]) -> list[str]:
    """What the run counts and the pack does not hold, in words: nothing is left out in silence."""
    lacking = {"items.csv": run.total - holds["items"], "outcomes.jsonl": run.done - holds["outcomes"]}
    return [f"{name}: {number} {NOT_HELD[name]}" for name, number in lacking.items() if number > 0]


def items_csv(run: Run, holds: Counter[str]) -> Iterator[bytes]:
    yield csv_head(ITEM_COLUMNS)
    for page in RunItem.objects.of(run).in_pages(AT_ONCE):
        holds["items"] += len(page)
        yield csv_lines(item_cells(run, item) for item in page)


def item_cells(run: Run, item: RunItem) -> list[str]:
    task_id = run.item_task_id(item.record_id)
    return [task_id if column == "task_id" else cell(getattr(item, column)) for column in ITEM_COLUMNS]


def outcomes(run: Run, holds: Counter[str]) -> Iterator[bytes]:
    for page in RunItem.objects.of(run).in_pages(AT_ONCE):
        ids = [run.item_task_id(item.record_id) for item in page]
        found = {row["task_id"]: row for row in TaskResult.objects.filter(task_id__in=ids).values(*RESULT_FIELDS)}
        rows = [found[task_id] for task_id in ids if task_id in found]
        holds["outcomes"] += len(rows)
        yield b"".join(json_line(opened(row)) for row in rows)


def may_tell_changes(run: Run, by: object) -> bool:
    """What records said is told to those who may look at them; who takes a pack by a program is no person."""
    model = run.record_type.model_class()
    return not hasattr(by, "has_perm") or (model is not None and may_see_records(by, model))


def missing_changes(run: Run, by: object) -> list[str]:
    gone = Activity.objects.filter(
        model=run._meta.label_lower, object_id=str(run.pk), verb="retention.deleted", details__kind="changes"
    )
    number = sum(entry.details["number"] for entry in gone)
    deleted = [f"changes.jsonl: {number} of the records that changed are not here: deleted by retention"]
    untold = ["changes.jsonl: told to those who may look at the records"]
    hidden = sorted(hidden_fields(run.record_type.model_class()))
    off_pages = [OFF_PAGES.format("changes.csv, changes.jsonl", ", ".join(hidden))] if hidden else []
    return [*(deleted if number else []), *(off_pages if may_tell_changes(run, by) else untold)]


def told_of(row: ChangeSet, hidden: Collection[str]) -> list[FieldChange]:
    """Without what the team keeps off the pages of its records."""
    return [each for each in row.changes if each.field not in hidden]


def moves_of(row: LeftAlone, hidden: Collection[str]) -> dict[str, list[Any]]:
    """By field, what was there before, after, and now."""
    return {each.field: list(each[1:]) for each in row.moves if each.field not in hidden}


def change_pages(run: Run) -> Iterator[tuple[list[ChangeSet], Mapping[int, Any]]]:
    """With the records themselves, as far as they are there."""
    model: Any = run.record_type.model_class()
    last = None
    while page := list(of_run(run, after=last)[:AT_ONCE]):
        last = page[-1].record_id
        yield page, model._base_manager.in_bulk([row.record_id for row in page]) if model else {}


def changes_csv(run: Run) -> Iterator[bytes]:
    yield csv_head(CHANGE_COLUMNS)
    hidden = hidden_fields(run.record_type.model_class())
    for page, records in change_pages(run):
        yield csv_lines(
            [
                *(str(row.record_id), disarm(str(records.get(row.record_id, ""))), run.item_task_id(row.record_id)),
                *(row.at.isoformat(), each.field, disarm(words(each.before)), disarm(words(each.after))),
            ]
            for row in page
            for each in told_of(row, hidden)
        )


def changes(run: Run, holds: Counter[str]) -> Iterator[bytes]:
    hidden = hidden_fields(run.record_type.model_class())
    for page, records in change_pages(run):
        holds["changes"] += len(page)
        for row in page:
            told = {
                "record_id": row.record_id,
                "record": str(records.get(row.record_id, "")),
                "task_id": run.item_task_id(row.record_id),
                "at": row.at,
                "changes": {each.field: [each.before, each.after] for each in told_of(row, hidden)},
            }
            yield json_line(told)


def left_alone(run: Run) -> Iterator[bytes]:
    """In order of record id; why, stands in items.csv."""
    rows, last = LeftAlone.objects.filter(run=run).order_by("record_id"), -HIGHEST
    hidden = hidden_fields(run.record_type.model_class())
    while page := list(rows.filter(record_id__gt=last)[:AT_ONCE]):
        last = page[-1].record_id
        for row in page:
            yield json_line({"record_id": row.record_id, "fields": moves_of(row, hidden)})


def activities(run: Run) -> Iterator[bytes]:
    log = Activity.objects.filter(model=run._meta.label_lower, object_id=str(run.pk))
    for entry in by_key(log, AT_ONCE):
        yield json_line({name: getattr(entry, name) for name in ACTIVITY_FIELDS})
