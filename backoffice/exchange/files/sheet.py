"""What a file becomes: its rows with the expected columns as text, or a refusal that says why it cannot be imported."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

MAX_ROWS: int = settings.RECORDS_IMPORT_MAX_ROWS
MAX_COLUMNS = 100
Row = tuple[int, list[str]]  # the number it has in the file, its heading being row 1, and its cells


class FileRefusedError(ValueError):
    """The file as a whole cannot be imported; the message is for the person who uploaded it."""


class Unreadable(str):
    """Why nobody can know a cell's text, in its place. In a column that is imported it refuses the file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows have the cells of the expected columns, in that order; `places` says where in the file each one is."""

    rows: list[Row]
    places: list[int]
    ignored: list[str]


def sheet_of(rows: Iterable[Row], expected: Sequence[str]) -> Sheet:
    """Raise FileRefusedError unless there is a heading with every expected column and a row below it."""
    filled = ((number, cells) for number, cells in map(trimmed, rows) if cells)
    columns = heading(next(filled, (0, []))[1], expected)
    places = [columns.index(name) for name in expected]
    taken = list(chosen(filled, len(columns), places))
    if not taken:
        raise FileRefusedError(_("The file has a heading but no rows below it."))
    return Sheet(taken, places, [name for name in columns if name and name not in expected])


def trimmed(row: Row) -> Row:
    """Without the empty cells at its end, of which spreadsheets write thousands."""
    number, cells = row
    while cells and not cells[-1]:
        cells.pop()
    return number, cells


def chosen(rows: Iterator[Row], width: int, places: list[int]) -> Iterator[Row]:
    """The cells that are imported, and nothing of the others: those are not to take memory."""
    for count, (number, cells) in enumerate(rows):
        if count == MAX_ROWS:
            raise FileRefusedError(_("The file has more than %(max)s rows: split it.") % {"max": f"{MAX_ROWS:,}"})
        if len(cells) > width:
            raise FileRefusedError(
                _("Row %(row)d has %(cells)d cells, the heading has %(columns)d: does a comma lack quotation marks?")
                % {"row": number, "cells": len(cells), "columns": width}
            )
        taken = [cells[place] if place < len(cells) else "" for place in places]
        refuse_unreadable(taken)
        yield number, taken


def refuse_unreadable(cells: list[str]) -> None:
    for cell in cells:
        if isinstance(cell, Unreadable):
            raise FileRefusedError(str(cell))


def heading(cells: list[str], expected: Sequence[str]) -> list[str]:
    """The column names as the model spells them: "Tax ID" is tax_id."""
    if not cells:
        raise FileRefusedError(_("The file is empty."))
    if len(cells) > MAX_COLUMNS:
        raise FileRefusedError(
            _("The first row has %(columns)s columns; at most %(max)d are taken. Delete those that are not imported.")
            % {"columns": f"{len(cells):,}", "max": MAX_COLUMNS}
        )
    refuse_unreadable(cells)
    columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
    told = _("Expected are %(columns)s; other columns are ignored.") % {"columns": ", ".join(expected)}
    if missing := [name for name in expected if name not in columns]:
        sentence = _("Missing in the first row: %(names)s.") % {"names": ", ".join(missing)}
        raise FileRefusedError(f"{sentence} {told}")
    if twice := sorted(name for name, times in Counter(columns).items() if name and times > 1):
        raise FileRefusedError(_("More than once in the first row: %(names)s.") % {"names": ", ".join(twice)})
    return columns
