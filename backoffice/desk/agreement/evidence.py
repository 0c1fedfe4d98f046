"""The evidence pack of a comparison."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backoffice.results.batches import by_key
from backoffice.results.models import Activity
from backoffice.runs.doctor.findings import NAMED

from ..audit.pack import ACTIVITY_FIELDS, HOW_TO_CHECK, as_json, json_line, taken, zipped
from ..models import Comparison
from .kinds import KINDS
from .shown import Shown

FIELDS = ("asked_at", "asked_by", "started_at", "finished_at", "since", "error")


def pack(row: Comparison, by: object) -> Iterator[bytes]:
    files: dict[str, Callable[[], Iterable[bytes]]] = {
        "agreement.json": lambda: [as_json(manifest(row, by), indent=2)],
        "differences.jsonl": lambda: map(json_line, row.differences),
        "activity.jsonl": lambda: activities(row),
    }
    return zipped(files)


def manifest(row: Comparison, by: object) -> dict[str, Any]:
    shown = Shown(row)
    counts = shown.drift.as_dict()
    return {
        "comparison": row.pk,
        **{name: getattr(row, name) for name in FIELDS},
        "says": shown.label,
        "looked_at": {name: counts[name] for name in ("runs", "compared", "calls")},
        "redis_answered": not shown.drift.redis_unknown,
        "differ": {name: counts[name] for name in KINDS},
        "meaning": {name: str(kind.meaning) for name, kind in KINDS.items()},
        "missing": [f"differences.jsonl: only the first {NAMED} are named"] if shown.is_cut else [],
        **taken(by),
        "files": {
            "agreement.json": "what was compared, and how many differ of each kind",
            "differences.jsonl": "where they differ: one line per kind and batch, with the first records",
            "activity.jsonl": "who asked, and what the activity log says of it",
            **HOW_TO_CHECK,
        },
    }


def activities(row: Comparison) -> Iterator[bytes]:
    log = Activity.objects.filter(model=row._meta.label_lower, object_id=str(row.pk))
    for entry in by_key(log, 500):
        yield json_line({name: getattr(entry, name) for name in ACTIVITY_FIELDS})
