"""The rows of an XLSX workbook's active sheet, as a person sees them.

Read by expat and not by openpyxl, which tells neither a formula without a result nor a merged cell from an empty one.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from openpyxl.utils import get_column_letter, range_boundaries  # type: ignore[import-untyped]

from .archive import Archive, DamagedError
from .cell_text import iso_text, unescaped
from .sheet import MAX_COLUMNS, FileRefusedError, Row, Sheet, Unreadable, sheet_of
from .workbook_parts import Contents, Relations, Strings, Styles, Texts

LAST_ROW = 1_048_576
MAX_CELLS = 1_000_000
LONGEST = 32_767
TRUTHS = {"0": "FALSE", "false": "FALSE", "1": "TRUE", "true": "TRUE"}
_LETTERS = re.compile("[A-Z]{1,3}")
_WORKBOOK = "xl/workbook.xml"


class Cells(Texts):
    """The cells of one sheet, row by row; and which columns of it are merged, with one place where they are."""

    def __init__(self, strings: list[str], styles: Styles) -> None:
        super().__init__()
        self.strings, self.styles = strings, styles
        self.rows: list[Row] = []
        self.number = self.column = self.count = 0
        self.cells: list[str] = []
        self.merged: dict[tuple[int, int], str] = {}
        self.kind = self.value = ""
        self.style = 0
        self.is_formula = self.has_value = False

    def row_begins(self, given: dict[str, str]) -> None:
        self.number = int(given["r"]) if "r" in given else self.number + 1
        self.cells, self.column = [], 0

    def row_ends(self) -> None:
        if self.cells and self.number <= LAST_ROW:
            self.rows.append((self.number, self.cells))

    def cell_begins(self, given: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_CELLS:
            raise FileRefusedError(_("The sheet has more than %(max)s cells: split it.") % {"max": f"{MAX_CELLS:,}"})
        place = given.get("r")
        self.column = column_of(place) if place else self.column + 1
        self.kind, self.style = given.get("t", "n"), int(given.get("s", 0))
        self.value, self.pieces = "", []
        self.is_formula = self.has_value = False

    def formula_ends(self) -> None:
        self.is_formula = True

    def value_ends(self) -> None:
        self.value, self.has_value = self.text, True

    def cell_ends(self) -> None:
        if self.pieces:
            self.value = "".join(self.pieces)
        text = self.shown() if self.value or self.is_formula else ""
        if not text:
            return
        if self.column > MAX_COLUMNS:
            raise FileRefusedError(
                _("Cell %(cell)s lies beyond the %(max)d columns that are taken: delete what is to the right of them.")
                % {"cell": self.name(), "max": MAX_COLUMNS}
            )
        self.cells += [""] * (self.column - len(self.cells))
        self.cells[self.column - 1] = text

    def name(self) -> str:
        return f"{get_column_letter(self.column)}{self.number}"

    def shown(self) -> str:
        """The text of a cell that has one, or why it has none."""
        if not self.value:
            return "" if self.kind == "str" and self.has_value else self.unreadable(NO_RESULT)
        if self.kind == "e":
            return self.unreadable(ERROR)
        if self.kind == "s":
            text = self.shared_text()
        elif self.kind in ("str", "inlineStr"):
            text = unescaped(self.value)
        else:
            return self.shown_value()
        return text if len(text) <= LONGEST else self.unreadable(TOO_LONG)

    def shared_text(self) -> str:
        at = int(self.value)
        if at < 0:  # Python would take it for one from the end
            raise DamagedError
        return self.strings[at]

    def shown_value(self) -> str:
        if self.kind == "b":
            return TRUTHS.get(self.value.strip()) or self.unreadable(NO_TRUTH)
        try:
            return iso_text(self.value) if self.kind == "d" else self.styles.format_of(self.style).text(self.value)
        except (ValueError, OverflowError):
            return self.unreadable(NO_NUMBER)

    def unreadable(self, sentence: str) -> Unreadable:
        return Unreadable(_(sentence) % {"cell": self.name(), "value": self.value[:50]})

    def merge(self, given: dict[str, str]) -> None:
        first, top, last, bottom = range_boundaries(given["ref"])
        if (first, top) != (last, bottom):
            self.merged.setdefault((first or 1, last or MAX_COLUMNS), given["ref"])

    starts = {**Texts.starts, "row": row_begins, "c": cell_begins, "mergeCell": merge}
    ends = {**Texts.ends, "row": row_ends, "c": cell_ends, "f": formula_ends, "v": value_ends}


NO_RESULT = gettext_noop(
    "Cell %(cell)s is a formula without a stored result: open the file in a spreadsheet program, save it there and"
    " upload it again."
)
ERROR = gettext_noop("Cell %(cell)s shows the error %(value)s: put its formula right, or empty the cell.")
NO_NUMBER = gettext_noop("Cell %(cell)s has a number or date that cannot be read: “%(value)s”.")
NO_TRUTH = gettext_noop("Cell %(cell)s is neither true nor false: “%(value)s”.")
TOO_LONG = gettext_noop("Cell %(cell)s has more than 32,767 characters: shorten it.")


def column_of(place: str) -> int:
    letters = _LETTERS.match(place)
    if letters is None:
        raise DamagedError
    column = 0
    for letter in letters[0]:
        column = column * 26 + ord(letter) - 64
    return column


def read(data: bytes, expected: Sequence[str]) -> Sheet:
    """Raise FileRefusedError."""
    try:
        cells, pieces = opened(Archive(data))
        sheet = sheet_of(rows_of(cells, pieces), expected)
    except FileRefusedError:
        raise
    except Exception as error:  # DamagedError, and what a made-up or broken workbook provokes beside it
        raise FileRefusedError(
            _("The XLSX workbook is damaged and cannot be read: open it in a spreadsheet program and save it anew.")
        ) from error
    refuse_merged(sheet, cells.merged)
    return sheet


def opened(archive: Archive) -> tuple[Cells, Iterator[bytes]]:
    """The active sheet, not yet read."""
    root = archive.read("_rels/.rels", Relations(""))
    workbook = root.path_of("officeDocument") or _WORKBOOK
    folder, name = posixpath.split(workbook)
    relations = archive.read(f"{folder}/_rels/{name}.rels", Relations(workbook))
    contents = archive.read(workbook, Contents())
    strings, styles = Strings(), Styles(contents.epoch)
    if path := relations.path_of("sharedStrings"):
        archive.read(path, strings)
    if path := relations.path_of("styles"):
        archive.read(path, styles)
    return Cells(strings.texts, styles), archive.pieces(active_sheet(contents, relations))


def active_sheet(contents: Contents, relations: Relations) -> str:
    """Its path; the first sheet of cells where that is a chart."""
    found = [relations.found.get(each, ("", "")) for each in contents.sheets]
    active = found[contents.active : contents.active + 1]
    kind, path = next((each for each in [*active, *found] if each[0] == "worksheet"), ("", ""))
    if not kind:
        raise DamagedError
    return path


def rows_of(cells: Cells, pieces: Iterator[bytes]) -> Iterator[Row]:
    for _step in cells.read(pieces):
        yield from cells.rows
        cells.rows.clear()


def refuse_merged(sheet: Sheet, merged: dict[tuple[int, int], str]) -> None:
    """Of merged cells only the first has a value: the others would empty their records' fields."""
    for (first, last), place in merged.items():
        if any(first <= column + 1 <= last for column in sheet.places):
            raise FileRefusedError(
                _("Cells %(cells)s are merged, so that only the first has a value: unmerge them and fill each.")
                % {"cells": place}
            )
