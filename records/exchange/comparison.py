"""The rows of a file beside the records they name: what an import would add, change and leave, and what is wrong."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Field as ModelField
from django.utils.translation import gettext as _

from backoffice.exchange.files.sheet import Sheet
from backoffice.results.values.spreadsheet import rearm

from ..models import YourModel

Values = dict[str, str]
FIELDS = {field.name: field for field in YourModel._meta.concrete_fields}
_PAIRED = tuple((name, FIELDS[name]) for name in YourModel.INPUTS)


@dataclass(slots=True)
class ImportRow:
    """A row of the file, and its record before it: None if there is none."""

    line: int
    values: Values
    pk: int | None = None
    before: Values | None = None

    @property
    def reference(self) -> str:
        return self.values["reference"]

    @property
    def is_new(self) -> bool:
        return self.before is None

    @property
    def is_unchanged(self) -> bool:
        return self.before == self.values

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        before = self.before or {}
        return {name: (before.get(name, ""), value) for name, value in self.values.items() if before.get(name) != value}

    @property
    def stamp(self) -> str:
        """Another one as soon as the record is edited, deleted or made; empty while there is none."""
        if self.before is None:
            return ""
        return hashlib.sha256(json.dumps([self.pk, *self.before.values()]).encode()).hexdigest()[:20]


@dataclass(slots=True)
class Comparison:
    """Of all rows, or of none where there are problems. `refused` are rows that are not written, each with why."""

    ignored: list[str]
    problems: list[str] = field(default_factory=list)
    new: list[ImportRow] = field(default_factory=list)
    updated: list[ImportRow] = field(default_factory=list)
    unchanged: list[ImportRow] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, row: ImportRow) -> None:
        (self.new if row.is_new else self.unchanged if row.is_unchanged else self.updated).append(row)

    @property
    def stamps(self) -> dict[str, str]:
        return {row.reference: row.stamp for rows in (self.new, self.updated, self.unchanged) for row in rows}

    def has_errors(self) -> bool:
        """The library's question: whether to offer no confirmation."""
        return bool(self.problems)

    def has_validation_errors(self) -> bool:
        return False


def compare(sheet: Sheet, lock: bool = False) -> Comparison:
    """With `lock`, inside a transaction, the records stay as they are read until it ends."""
    named = {cells[0] for _line, cells in sheet.rows}
    found = existing(named | {reference.strip() for reference in named}, lock)
    rows = [row_of(line, cells, found) for line, cells in sheet.rows]
    comparison = Comparison(sheet.ignored, list(problems_in(rows)))
    if not comparison.problems:
        for row in rows:
            comparison.add(row)
    return comparison


def row_of(line: int, cells: list[str], found: Mapping[str, tuple[int, Values]]) -> ImportRow:
    values = dict(zip(YourModel.INPUTS, map(rearm, cells), strict=True))
    if values["reference"] not in found:
        values["reference"] = values["reference"].strip()
    values["role"] = values["role"].strip().lower()
    pk, before = found.get(values["reference"], (None, None))
    return ImportRow(line, values, pk, before)


def existing(references: Iterable[str], lock: bool = False) -> dict[str, tuple[int, Values]]:
    """Number and inputs of the records with these references."""
    # In one question, so that those who lock wait in the same order; SQLite has one writer and a bound on parameters.
    given = sorted(references)
    at_once = connection.features.max_query_params or len(given) or 1
    records = YourModel.objects.order_by("pk").values_list("pk", *YourModel.INPUTS)
    if lock:
        records = records.select_for_update()
    found: dict[str, tuple[int, Values]] = {}
    for start in range(0, len(given), at_once):
        for pk, *inputs in records.filter(reference__in=given[start : start + at_once]):
            found[inputs[0]] = (pk, dict(zip(YourModel.INPUTS, inputs, strict=True)))
    return found


# --- What can be wrong with a row -----------------------------------------------------------------------------------


def problems_in(rows: list[ImportRow]) -> Iterator[str]:
    lines = defaultdict(list)
    for row in rows:
        lines[row.reference].append(row.line)
    for row in rows:
        yield from problems_of(row)
        same = lines[row.reference]
        if row.reference and len(same) > 1 and same[0] == row.line:
            yield said_twice(row.reference, same)


def problems_of(row: ImportRow) -> Iterator[str]:
    """A sentence for every cell that its column cannot hold."""
    for name, its_field in _PAIRED:
        if problem := problem_of(its_field, row.values[name]):
            where = {"row": row.line, "column": name, "problem": problem}
            yield _("Row %(row)d, column %(column)s: %(problem)s") % where


def problem_of(field: "ModelField[Any, Any]", value: str) -> str:
    if not value.strip() and not field.blank:
        return _("a value is needed.")
    if field.max_length is not None and len(value) > field.max_length:
        counts = {"length": f"{len(value):,}", "max": field.max_length}
        return _("the cell has %(length)s characters; at most %(max)d are taken.") % counts
    if "\x00" in value:
        return _("the cell has a null character.")
    if field.choices and value not in YourModel.Role.values:
        return _("“%(value)s” is not a role; it is one of %(roles)s.") % {
            "value": value,
            "roles": ", ".join(YourModel.Role.values),
        }
    return ""


def said_twice(reference: str, rows: list[int]) -> str:
    where = ", ".join(map(str, rows[:10])) + ("…" if len(rows) > 10 else "")
    return _("Rows %(rows)s, column reference: “%(reference)s” may occur once in a file.") % {
        "rows": where,
        "reference": reference,
    }
