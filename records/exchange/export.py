"""Writing records to a file, whole: a table of a million rows never stands in memory."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

from backoffice.exchange.files.cell_text import escaped
from backoffice.results.values.spreadsheet import disarm, rearm

from ..models import YourModel

XLSX_MAX_ROWS = 200_000  # about 20 s; the format ends at 1,048,576
_IN_MEMORY = 8 * 1024 * 1024
_AT_ONCE = 2_000


class TooManyRowsError(ValueError):
    """The format does not take so many; the message says what to do."""


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list):
        return ", ".join(issue["code"] for issue in value)
    return str(value)


def rows(records: QuerySet[YourModel], columns: Sequence[str]) -> Iterator[list[str]]:
    for values in records.values_list(*columns).iterator(chunk_size=_AT_ONCE):
        yield [text(value) for value in values]


def write_csv(file: IO[bytes], lines: Iterable[list[str]]) -> None:
    """With a byte order mark, without which Excel takes UTF-8 for its language's old encoding."""
    out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    csv.writer(out).writerows([disarm(text) for text in line] for line in lines)
    out.detach()


def write_xlsx(file: IO[bytes], lines: Iterable[list[str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title=str(YourModel._meta.verbose_name_plural))
    sheet.freeze_panes = "B2"
    for line in lines:
        sheet.append([text_cell(sheet, text) for text in line])
    book.save(file)


def text_cell(sheet: object, text: str) -> object:
    """Text whatever it looks like, so that none needs an apostrophe but what an import would take for one that has."""
    text = escaped(disarm(text) if rearm(text) != text else text)
    if not text.startswith(("=", "#")):
        return text
    cell = WriteOnlyCell(sheet, text)  # openpyxl takes it for a formula, or for an error
    cell.data_type = "s"
    return cell


def write(kind: str, records: QuerySet[YourModel], columns: Sequence[str]) -> tuple[IO[bytes], int]:
    """The finished file and the number of records in it. Raise TooManyRowsError."""
    if kind == "xlsx" and records.count() > XLSX_MAX_ROWS:
        raise TooManyRowsError(
            _("XLSX is written for up to %(max)s records: choose csv, or filter.") % {"max": f"{XLSX_MAX_ROWS:,}"}
        )
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the response closes it
    count = 0

    def lines() -> Iterator[list[str]]:
        nonlocal count
        yield list(columns)
        for row in rows(records, columns):
            count += 1
            yield row

    {"csv": write_csv, "xlsx": write_xlsx}[kind](file, lines())
    file.seek(0)
    return file, count
