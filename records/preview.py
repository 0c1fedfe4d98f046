"""What the import page shows before anything is written: counts, the first rows, the first errors."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from import_export.results import Result, RowResult

from .resources import FIELDS, ImportResult

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
    reference: str
    cells: list[Cell]


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

    @property
    def rows_left(self) -> int:
        return self.new + self.updated - len(self.rows)

    @property
    def errors_left(self) -> int:
        return self.error_count - len(self.errors)

    @property
    def changes(self) -> int:
        return self.new + self.updated


def preview_of(result: ImportResult) -> Preview:
    numbered = list(zip(result.lines, result.rows, strict=True))
    # updates first: they overwrite something
    chosen = [pair for pair in numbered if pair[1].is_update()][:SHOWN]
    chosen += islice((pair for pair in numbered if pair[1].is_new()), SHOWN - len(chosen))
    errors = errors_of(result)
    return Preview(
        new=result.totals[RowResult.IMPORT_TYPE_NEW],
        updated=result.totals[RowResult.IMPORT_TYPE_UPDATE],
        unchanged=result.totals[RowResult.IMPORT_TYPE_SKIP],
        ignored=result.ignored,
        rows=[row_of(line, row) for line, row in chosen],
        errors=errors[:SHOWN],
        error_count=len(errors),
    )


def row_of(line: int, row: RowResult) -> PreviewRow:
    changes = {name: pair for name, pair in row.diff.items() if name != "reference"}
    cells = [
        Cell(FIELDS[name].verbose_name, before, after) for name, (before, after) in changes.items() if before or after
    ]
    return PreviewRow(line, row.is_update(), row.diff["reference"][1], cells)


def errors_of(result: Result) -> list[str]:
    """Every problem as one sentence, which names row and column; each only once."""
    found = [str(error.error) for error in result.base_errors]
    found += [str(error.error) for row in result.error_rows for error in row.errors]
    for row in result.invalid_rows:
        found += [message for messages in row.error_dict.values() for message in messages]
    return list(dict.fromkeys(found))
