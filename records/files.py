"""Uploaded CSV and XLSX files: read into a sheet of text, or refused with a sentence that says why."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import tablib
from django.conf import settings
from django.utils.translation import gettext as _
from import_export.formats.base_formats import CSV, XLSX

from .models import YourModel

MAX_BYTES: int = settings.RECORDS_IMPORT_MAX_BYTES
MAX_ROWS: int = settings.RECORDS_IMPORT_MAX_ROWS
UNPACKED = 5  # an XLSX is an archive: how many times MAX_BYTES it may unpack to
MAX_COLUMNS = 100
LAST_XLSX_ROW = 1_048_576
Row = tuple[int, list[str]]


class FileRefusedError(ValueError):
    """The file as a whole cannot be imported; the message is for the person who uploaded it."""


class Sheet(tablib.Dataset):
    """The rows of a file; `lines` holds the number each row has in the file, its heading being row 1."""

    lines: list[int]


def sheet_of(rows: Iterable[Row]) -> Sheet:
    """Raise FileRefusedError unless there is a heading with every expected column and a row below it."""
    filled = ((number, cells) for number, cells in rows if any(cells))
    columns = heading(next(filled, (0, []))[1])
    sheet = Sheet(headers=columns)
    sheet.lines = []
    for number, cells in filled:
        if len(sheet.lines) == MAX_ROWS:
            raise FileRefusedError(_("The file has more than %(max)s rows: split it.") % {"max": f"{MAX_ROWS:,}"})
        if any(cells[len(columns) :]):
            raise FileRefusedError(
                _("Row %(row)d has %(cells)d cells, the heading has %(columns)d: does a comma lack quotation marks?")
                % {"row": number, "cells": len(cells), "columns": len(columns)}
            )
        sheet.lines.append(number)
        sheet.append((cells + [""] * len(columns))[: len(columns)])
    if not sheet.lines:
        raise FileRefusedError(_("The file has a heading but no rows below it."))
    return sheet


def heading(cells: list[str]) -> list[str]:
    """The column names as the records spell them: "Tax ID" is tax_id."""
    columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    if not columns:
        raise FileRefusedError(_("The file is empty."))
    expected = _("Expected are %(columns)s; other columns are ignored.") % {"columns": ", ".join(YourModel.INPUTS)}
    if missing := [name for name in YourModel.INPUTS if name not in columns]:
        sentence = _("Missing in the first row: %(names)s.") % {"names": ", ".join(missing)}
        raise FileRefusedError(f"{sentence} {expected}")
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise FileRefusedError(_("More than once in the first row: %(names)s.") % {"names": ", ".join(twice)})
    return columns


# --- CSV ------------------------------------------------------------------------------------------------------------


def text_of(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise FileRefusedError(_("This is not CSV but an XLSX workbook: choose xlsx as its format."))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        # No guessing: cp1252 reads any file, and a Polish or Greek one wrongly without a word.
        raise FileRefusedError(
            _(
                "The text is not UTF-8: line %(line)d has the byte 0x%(byte)02X. CSV is taken in UTF-8, with or without"
                " a byte order mark. Save it as “CSV UTF-8”, or as XLSX, and upload it again."
            )
            % {"line": line, "byte": data[error.start]}
        ) from error


def csv_rows(data: bytes) -> Iterator[Row]:
    """Comma, semicolon or tab: whichever the heading has most of (Excel writes the one its language prefers)."""
    text = text_of(data)
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):  # noqa: B007 - named in the message below
            yield number, cells
    except csv.Error as error:
        raise FileRefusedError(
            _("Row %(row)d cannot be read (%(error)s): is a quotation mark missing its pair?")
            % {"row": number + 1, "error": error}
        ) from error


class CsvFile(CSV):
    def is_binary(self) -> bool:
        return True  # bytes, so that a wrong encoding gets a sentence of ours

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Sheet:
        return sheet_of(csv_rows(in_stream))


# --- XLSX -----------------------------------------------------------------------------------------------------------


def check_archive(data: bytes) -> None:
    """Refuse what is no workbook, and a small file that unpacks to an enormous one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            names = set(archive.namelist())
    except Exception as error:  # BadZipFile, and what a made-up archive provokes beside it
        raise FileRefusedError(
            _(
                "This is not an XLSX workbook. For a CSV file choose csv. An older .xls, or a file with a password,"
                " cannot be read: save it as .xlsx without one."
            )
        ) from error
    if "[Content_Types].xml" not in names:
        raise FileRefusedError(_("This is an archive, but not an XLSX workbook."))
    if unpacked > UNPACKED * MAX_BYTES:
        raise FileRefusedError(
            _("The workbook unpacks to %(size)d MB, more than the %(max)d MB that are taken.")
            % {"size": unpacked // 2**20, "max": UNPACKED * MAX_BYTES // 2**20}
        )


def cell_text(value: object) -> str:
    """What a person sees in the cell, for the types a spreadsheet makes of codes and numbers."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value)


def xlsx_rows(data: bytes) -> Iterator[Row]:
    """The rows of the active sheet."""
    check_archive(data)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.active if hasattr(book.active, "iter_rows") else book.worksheets[0]
        sheet.reset_dimensions()  # what a file says about its own size is not to be believed
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), 1):
            if number > LAST_XLSX_ROW:
                break
            yield number, [cell_text(cell) for cell in cells]
    except Exception as error:  # openpyxl raises KeyError, ValueError, ParseError and more on a damaged workbook
        raise FileRefusedError(_("The XLSX workbook is damaged and cannot be read.")) from error


class XlsxFile(XLSX):
    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Sheet:
        return sheet_of(xlsx_rows(in_stream))
