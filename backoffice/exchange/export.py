"""Writing records to a file, whole: a table of a million rows never stands in memory."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from typing import IO, Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from import_export.widgets import ForeignKeyWidget
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

from backoffice.results.values.spreadsheet import disarm, rearm

from .columns.resource import ExchangeResource
from .files.cell_text import escaped

XLSX_MAX_ROWS = 200_000  # about 20 s; the format ends at 1,048,576
_IN_MEMORY = 8 * 1024 * 1024
_AT_ONCE = 2_000


class TooManyRowsError(ValueError):
    """The format does not take so many; the message says what to do."""


class Said(NamedTuple):
    """A column of which pages say more than the field holds: what they say, of many records at once."""

    name: str
    words: Callable[[Sequence[Any]], list[str]]


def rows(
    records: "QuerySet[Any]", resource: ExchangeResource, names: Sequence[str], said: Said | None = None
) -> Iterator[list[str]]:
    if said is None or said.name not in names:
        yield from (line for line, _record in lines_of(records, resource, names, whole=False))
        return
    at = names.index(said.name)
    for page in batched(lines_of(records, resource, names, whole=True), _AT_ONCE):
        words = said.words([record for _line, record in page])
        yield from ([*line[:at], word, *line[at + 1 :]] for (line, _record), word in zip(page, words, strict=True))


def lines_of(
    records: "QuerySet[Any]", resource: ExchangeResource, names: Sequence[str], *, whole: bool
) -> Iterator[tuple[list[str], Any]]:
    """Plain columns are asked for as such; where a method computes one, or the record is wanted too, whole records."""
    columns = [resource.fields[name] for name in names]
    paths = [path for name in names if (path := path_of(records.model, resource, name))]
    if len(paths) < len(names):
        for record in records.iterator(chunk_size=_AT_ONCE):
            yield [shown(resource.export_field(column, record)) for column in columns], record
        return
    # what another record is called is no value for the widget that finds it
    renders = [shown if isinstance(column.widget, ForeignKeyWidget) else column.widget.render for column in columns]
    own = [field.attname for field in records.model._meta.concrete_fields] if whole else []
    for values in records.values_list(*paths, *own).iterator(chunk_size=_AT_ONCE):
        record = records.model.from_db(records.db, own, values[len(paths) :]) if whole else None
        yield [shown(render(value)) for render, value in zip(renders, values, strict=False)], record


def shown(value: Any) -> str:
    return "" if value is None else str(value)


def path_of(model: Any, resource: ExchangeResource, name: str) -> str | None:
    """How a question asks for the column; None if only the record itself knows."""
    column = resource.fields[name]
    computed = column.get_dehydrate_method(name)
    if not column.attribute or callable(computed) or hasattr(resource, computed):
        return None
    field: Any = None
    for part in column.attribute.split("__"):
        try:
            field = model._meta.get_field(part)
        except (AttributeError, FieldDoesNotExist):
            return None
        model = field.related_model
    if not field.concrete or (field.is_relation and not isinstance(column.widget, ForeignKeyWidget)):
        return None
    return f"{column.attribute}__{column.widget.field}" if field.is_relation else str(column.attribute)


def write_csv(file: IO[bytes], lines: Iterable[list[str]]) -> None:
    """With a byte order mark, without which Excel takes UTF-8 for its language's old encoding."""
    out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    csv.writer(out).writerows([disarm(text) for text in line] for line in lines)
    out.detach()


def write_xlsx(file: IO[bytes], lines: Iterable[list[str]], title: str) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title=title)
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


def write(
    kind: str, records: "QuerySet[Any]", resource: ExchangeResource, names: Sequence[str], said: Said | None = None
) -> tuple[IO[bytes], int]:
    """The finished file and the number of records in it. Raise TooManyRowsError."""
    if kind == "xlsx" and records.count() > XLSX_MAX_ROWS:
        raise TooManyRowsError(
            _("XLSX is written for up to %(max)s records: choose csv, or filter.") % {"max": f"{XLSX_MAX_ROWS:,}"}
        )
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the response closes it
    count = 0

    def lines() -> Iterator[list[str]]:
        nonlocal count
        yield [resource.fields[name].column_name for name in names]
        for row in rows(records, resource, names, said):
            count += 1
            yield row

    if kind == "xlsx":
        write_xlsx(file, lines(), str(records.model._meta.verbose_name_plural))
    else:
        write_csv(file, lines())
    file.seek(0)
    return file, count
