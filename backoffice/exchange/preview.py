"""What the import page shows before anything is written: counts, the first rows, the first errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backoffice.runs.registry import RecordTask

from .comparison import Comparison
from .look_alikes import look_alikes
from .rows import ImportRow
from .trial import Trial, Trials, ordered, trials_of

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Cell:
    label: Any
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PreviewRow:
    line: int
    is_update: bool
    name: str
    cells: list[Cell]
    trial: Trial | None
    looks_like: list[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """`cells` are those that change; of a new row, those that are filled."""

    new: int
    updated: int
    unchanged: int
    ignored: list[str]
    rows: list[PreviewRow]
    errors: list[str]
    error_count: int
    trials: Trials
    is_checked: bool
    alike: int

    @property
    def rows_left(self) -> int:
        return self.new + self.updated - len(self.rows)

    @property
    def errors_left(self) -> int:
        return self.error_count - len(self.errors)

    @property
    def changes(self) -> int:
        return self.new + self.updated


def preview_of(model_admin: Any, request: Any, task: RecordTask | None, comparison: Comparison) -> Preview:
    # updates first: they overwrite something
    chosen = [*comparison.updated[:SHOWN], *comparison.new[:SHOWN]][:SHOWN]
    every = ordered([*comparison.updated, *comparison.new], chosen)
    trials = trials_of(model_admin, task, every)
    alike = look_alikes(model_admin, request, every, trials.of)
    problems = list(dict.fromkeys(comparison.problems))
    return Preview(
        new=len(comparison.new),
        updated=len(comparison.updated),
        unchanged=len(comparison.unchanged),
        ignored=comparison.ignored,
        rows=[shown(row, trials.of, alike) for row in chosen],
        errors=problems[:SHOWN],
        error_count=len(problems),
        trials=trials,
        is_checked=task is not None,
        alike=len(alike),
    )


def shown(row: ImportRow, trials: Mapping[int, Trial], alike: Mapping[int, list[str]]) -> PreviewRow:
    fields = row.layout.model._meta.get_field
    key = row.layout.key.field.name
    changes = {name: pair for name, pair in row.changes.items() if name != key and any(pair)}
    cells = [Cell(fields(name).verbose_name, before, after) for name, (before, after) in changes.items()]  # type: ignore[union-attr]
    return PreviewRow(row.line, not row.is_new, row.name, cells, trials.get(row.line), alike.get(row.line, []))
