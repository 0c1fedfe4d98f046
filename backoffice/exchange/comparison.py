"""The rows of a file beside the records they name: what an import would add, change and leave, and what is wrong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.results.values.spreadsheet import rearm

from .columns.column import Wrong
from .columns.layout import Layout
from .columns.related import in_questions
from .files.sheet import Row, Sheet
from .rows import ImportRow, Values
from .whole_rows import problems_in_rows

Found = dict[Any, tuple[int, Values]]  # a record's number and values, by its key


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
        return {row.name: row.stamp for rows in (self.new, self.updated, self.unchanged) for row in rows}

    def has_errors(self) -> bool:
        """The library's question: whether to offer no confirmation."""
        return bool(self.problems)

    def has_validation_errors(self) -> bool:
        return False


def compare(layout: Layout, sheet: Sheet, records: "QuerySet[Any]", lock: bool = False) -> Comparison:
    """With `lock`, inside a transaction, the records stay as they are read until it ends."""
    read = values_of(layout, sheet.rows)
    keys = {values[layout.key_at] for values in read}
    found = existing(layout, records, keys | {trimmed(key) for key in keys}, lock)
    rows = [row_of(layout, line, values, found) for (line, _cells), values in zip(sheet.rows, read, strict=True)]
    comparison = Comparison(sheet.ignored, list(problems_in(layout, rows)))
    if not comparison.problems:
        for row in rows:
            comparison.add(row)
        comparison.problems = list(problems_in_rows(layout, [*comparison.new, *comparison.updated]))
    return comparison


def values_of(layout: Layout, rows: list[Row]) -> list[Values]:
    """The values of each row: a column is read at once, so that what it looks up is one question."""
    texts = zip(*(cells for _line, cells in rows), strict=True)
    meant = ([rearm(text) if text[:1] == "'" else text for text in its_texts] for its_texts in texts)
    read = [column.read(its_texts) for column, its_texts in zip(layout.columns, meant, strict=True)]
    return [list(values) for values in zip(*read, strict=True)]


def row_of(layout: Layout, line: int, values: Values, found: Found) -> ImportRow:
    key = values[layout.key_at]
    if key not in found:
        values[layout.key_at] = key = trimmed(key)
    pk, before = found.get(key, (None, None))
    return ImportRow(line, layout, values, pk, before)


def trimmed(key: Any) -> Any:
    return key.strip() if type(key) is str else key


def existing(layout: Layout, records: "QuerySet[Any]", keys: Iterable[Any], lock: bool = False) -> Found:
    """Number and values of the records that have these keys."""
    name, lookups = layout.key.field.name, [column.lookup for column in layout.columns]
    records = records.order_by("pk")
    found: Found = {}
    for asked in in_questions(key for key in keys if not isinstance(key, Wrong)):
        if lock and connection.features.has_select_for_update:
            hold(layout, asked)
        for pk, *values in records.filter(**{f"{name}__in": asked}).values_list("pk", *lookups):
            found[values[layout.key_at]] = (pk, values)
    return found


def hold(layout: Layout, keys: list[Any]) -> None:
    """In a statement of its own: what the list joins or counts beside the records cannot be locked."""
    records = layout.model._base_manager.filter(**{f"{layout.key.field.name}__in": keys})
    list(records.order_by("pk").select_for_update().values_list("pk"))


# --- What can be wrong with a row -----------------------------------------------------------------------------------


def problems_in(layout: Layout, rows: list[ImportRow]) -> Iterator[str]:
    """A sentence for every cell that its column cannot hold, and for every record that is named twice."""
    lines = defaultdict(list)
    for row in rows:
        lines[row.key].append(row.line)
    for row in rows:
        yield from problems_of(row)
        same = lines[row.key]
        if len(same) > 1 and same[0] == row.line and not isinstance(row.key, Wrong):
            yield said_twice(layout, row, same)


def problems_of(row: ImportRow) -> Iterator[str]:
    for column, value in zip(row.layout.columns, row.values, strict=True):
        if isinstance(value, Wrong):
            where = {"row": row.line, "column": column.name, "problem": value}
            yield _("Row %(row)d, column %(column)s: %(problem)s") % where


def said_twice(layout: Layout, row: ImportRow, rows: list[int]) -> str:
    where = ", ".join(map(str, rows[:10])) + ("…" if len(rows) > 10 else "")
    return _("Rows %(rows)s, column %(column)s: “%(key)s” may occur once in a file.") % {
        "rows": where,
        "column": layout.key.name,
        "key": row.name,
    }
