"""Uploaded CSV and XLSX files: read into a sheet of text, or refused with a sentence that says why."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from import_export.formats.base_formats import CSV, XLSX

from . import workbook
from .sheet import FileRefusedError, Row, Sheet, sheet_of

MAX_BYTES: int = settings.RECORDS_IMPORT_MAX_BYTES


def text_of(data: bytes) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise FileRefusedError(_("This is not CSV but an XLSX workbook: choose xlsx as its format."))
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileRefusedError(
            _(
                "The text is not UTF-8 but UTF-16 (“Unicode text”). CSV is taken in UTF-8, with or without a byte order"
                " mark. Save it as “CSV UTF-8”, or as XLSX, and upload it again."
            )
        )
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
        if "field limit" in str(error):
            raise FileRefusedError(
                _("Row %(row)d has a cell of more than %(max)s characters: does a quotation mark lack its pair?")
                % {"row": number + 1, "max": f"{csv.field_size_limit():,}"}
            ) from error
        raise FileRefusedError(
            _("Row %(row)d cannot be read (%(error)s): is a quotation mark missing its pair?")
            % {"row": number + 1, "error": error}
        ) from error


class Expecting:
    """A file format that knows which columns a file must have."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self.columns = columns


class CsvFile(Expecting, CSV):
    def is_binary(self) -> bool:
        return True  # bytes, so that a wrong encoding gets a sentence of ours

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Sheet:
        return sheet_of(csv_rows(in_stream), self.columns)


class XlsxFile(Expecting, XLSX):
    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> Sheet:
        return workbook.read(in_stream, self.columns)


FORMATS: tuple[type[Expecting], ...] = (CsvFile, XlsxFile)
