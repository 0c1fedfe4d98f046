"""The XML inside an XLSX file, read in pieces and within bounds, so that no small file becomes an enormous one.

What openpyxl reads it builds first, one row at a time, and a row may have millions of cells.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import ClassVar
from xml.parsers import expat

from django.utils.translation import gettext as _

from .sheet import FileRefusedError

MAX_UNPACKED = 100 * 2**20
# Real workbooks unpack to 10 to 30 times their size; a bomb to several hundred.
MAX_RATIO = 50
SMALL = 2**20
MAX_MEMBERS = 10_000
# Tags take the time, a self-closing one twice as much: real workbooks have up to 2.2 for each byte of the file.
MAX_TAGS_PER_BYTE = 4
FEW_TAGS = 1_000_000
MAX_DEPTH = 64
MAX_TAG = 512 * 1024  # bytes of one tag with all its attributes
MAX_TEXT = 7 * 32_767  # a spreadsheet's own limit for a cell, each character escaped
_PIECE = 16 * 1024
_OLD = b"\xd0\xcf\x11\xe0"
Call = Callable[..., None]
_ENTRY = b"PK\x01\x02"


class DamagedError(ValueError):
    """Not what a spreadsheet program writes."""


class ByTag(dict[str, Call | None]):
    """What is called for a tag, whichever of its namespaces it is in: a strict workbook has others."""

    def __init__(self, calls: dict[str, Call]) -> None:
        super().__init__()
        self.calls = calls

    def __missing__(self, name: str) -> Call | None:
        self[name] = found = self.calls.get(name.rpartition(" ")[2])
        return found


class Part:
    """One XML file of the archive. `starts` and `ends` say, by element, which method is called at its start and end."""

    starts: ClassVar[dict[str, Call]] = {}
    ends: ClassVar[dict[str, Call]] = {}

    def __init__(self) -> None:
        self.depth = 0
        self.text = ""
        self.at_start, self.at_end = ByTag(self.starts), ByTag(self.ends)
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def read(self, pieces: Iterator[bytes]) -> Iterator[None]:
        """Goes on a piece at each step, so that what was found is taken away before more is."""
        fed = 0
        for piece in pieces:
            fed += len(piece)
            self.parser.Parse(piece)
            if fed - self.parser.CurrentByteIndex > MAX_TAG:
                raise DamagedError
            yield
        self.parser.Parse(b"", True)
        yield

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise DamagedError
        self.text = ""
        if call := self.at_start[name]:
            call(self, attributes)

    def _end(self, name: str) -> None:
        self.depth -= 1
        if call := self.at_end[name]:
            call(self)
        self.text = ""

    def _text(self, text: str) -> None:
        self.text += text
        if len(self.text) > MAX_TEXT:
            raise FileRefusedError(_("The workbook has a cell of more than 32,767 characters: shorten it."))

    def _doctype(self, *_declared: object) -> None:
        raise DamagedError  # no spreadsheet writes one, and entities are declared there


class Archive:
    """Its members by name. Raise FileRefusedError for what is no workbook, or unpacks to an enormous one."""

    def __init__(self, data: bytes) -> None:
        refuse_other_formats(data)
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
        except Exception as error:  # BadZipFile, and what a made-up archive provokes beside it
            raise FileRefusedError(
                _("This is not an XLSX workbook. For a CSV file choose csv; save any other as .xlsx first.")
            ) from error
        members = [entry for entry in self.zip.infolist() if not entry.is_dir()]
        self.members = {canonical(entry.filename): entry for entry in members}
        self.tags_left = max(FEW_TAGS, MAX_TAGS_PER_BYTE * len(data))
        check_members(members, self.members, len(data))

    def pieces(self, name: str) -> Iterator[bytes]:
        """zipfile unpacks no more than the size the archive states, and raises where its check sum differs."""
        entry = self.members[canonical(name)]
        unpacked = 0
        with self.zip.open(entry) as member:
            while piece := member.read(_PIECE):
                unpacked += len(piece)
                self.count_tags(piece)
                yield piece
        if unpacked != entry.file_size:
            raise DamagedError

    def count_tags(self, piece: bytes) -> None:
        self.tags_left -= piece.count(b"<") + piece.count(b"/>")
        if self.tags_left < 0:
            more = _("The workbook has far more inside than a spreadsheet program writes into a file of its size.")
            raise FileRefusedError(f"{more} {what_to_do()}")

    def read[P: Part](self, name: str, part: P) -> P:
        for _step in part.read(self.pieces(name)):
            pass
        return part


def canonical(name: str) -> str:
    """Names in an Office archive ignore case; some writers begin them with a slash, or use the other one."""
    return name.replace("\\", "/").lstrip("/").lower()


def refuse_other_formats(data: bytes) -> None:
    if data.startswith(_OLD) and "EncryptedPackage".encode("utf-16-le") in data:
        raise FileRefusedError(
            _("This is not an XLSX workbook that can be read: it has a password. Save it without one and upload that.")
        )
    if data.startswith(_OLD):
        raise FileRefusedError(_("This is not an XLSX workbook but an older .xls: save it as .xlsx and upload that."))
    if data.count(_ENTRY) > MAX_MEMBERS:  # before a list is made of them
        raise FileRefusedError(_("This is an archive of many files, but not an XLSX workbook."))


def check_members(members: list[zipfile.ZipInfo], names: dict[str, zipfile.ZipInfo], size: int) -> None:
    if "[content_types].xml" not in names:
        raise FileRefusedError(
            _("This is an archive, but not an XLSX workbook. Save it from the spreadsheet program as .xlsx.")
        )
    if "xl/workbook.bin" in names:
        raise FileRefusedError(_("This is an .xlsb workbook: save it as .xlsx and upload that."))
    if any(entry.flag_bits & 1 for entry in members):
        raise FileRefusedError(_("The archive has a password: save the workbook without one and upload that."))
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if len(names) < len(members) or any(entry.compress_type not in known for entry in members):
        raise DamagedError  # the same name twice: programs differ in which they read
    unpacked = sum(entry.file_size for entry in members)
    if unpacked > min(MAX_UNPACKED, max(SMALL, MAX_RATIO * size)):
        raise FileRefusedError(
            _("The workbook unpacks to %(size).1f MB, %(ratio)d times its own size, which is more than is taken.")
            % {"size": unpacked / 2**20, "ratio": unpacked // size}
            + f" {what_to_do()}"
        )


def what_to_do() -> str:
    return _("Copy its cells into a new workbook, without formats, and upload that.")
