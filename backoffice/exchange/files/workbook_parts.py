"""The parts of an XLSX workbook beside its cells: which files it is made of, its number formats, its shared texts."""

import posixpath
from datetime import datetime

from openpyxl.styles.numbers import BUILTIN_FORMATS  # type: ignore[import-untyped]
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH  # type: ignore[import-untyped]

from .archive import Part
from .cell_text import NumberFormat, unescaped


class Relations(Part):
    """Which parts one part names: their kind (the last word of its address) and their path, by id."""

    def __init__(self, of: str) -> None:
        super().__init__()
        self.folder = posixpath.dirname(of)
        self.found: dict[str, tuple[str, str]] = {}

    def relation(self, given: dict[str, str]) -> None:
        if given.get("TargetMode") != "External":
            path = posixpath.normpath(posixpath.join("/", self.folder, given["Target"].replace("\\", "/")))
            self.found[given["Id"]] = (given["Type"].rpartition("/")[2], path.lstrip("/"))

    def path_of(self, kind: str) -> str | None:
        return next((path for its_kind, path in self.found.values() if its_kind == kind), None)

    starts = {"Relationship": relation}


class Contents(Part):
    """What the workbook itself says: its sheets in order, the active one, and where its calendar begins."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[str] = []
        self.active = 0
        self.epoch: datetime = WINDOWS_EPOCH

    def properties(self, given: dict[str, str]) -> None:
        if given.get("date1904") in ("1", "true"):
            self.epoch = MAC_EPOCH

    def view(self, given: dict[str, str]) -> None:
        self.active = int(given.get("activeTab", 0))

    def sheet(self, given: dict[str, str]) -> None:
        self.sheets += [value for name, value in given.items() if name.endswith("relationships id")]

    starts = {"workbookPr": properties, "workbookView": view, "sheet": sheet}


class Styles(Part):
    """The number format of each cell style."""

    def __init__(self, epoch: datetime = WINDOWS_EPOCH) -> None:
        super().__init__()
        self.epoch = epoch
        self.codes: dict[int, str] = {}
        self.styles: list[int] = []
        self.are_cells = False
        self.formats: dict[int, NumberFormat] = {}

    def number_format(self, given: dict[str, str]) -> None:
        self.codes.setdefault(int(given["numFmtId"]), given.get("formatCode", ""))

    def cells_begin(self, given: dict[str, str]) -> None:
        self.are_cells = True

    def cells_end(self) -> None:
        self.are_cells = False

    def style(self, given: dict[str, str]) -> None:
        if self.are_cells:
            self.styles.append(int(given.get("numFmtId", 0)))

    def format_of(self, style: int) -> NumberFormat:
        number = self.styles[style] if style < len(self.styles) else 0
        if number not in self.formats:
            code = self.codes.get(number) or BUILTIN_FORMATS.get(number, "General")
            self.formats[number] = NumberFormat(code, self.epoch)
        return self.formats[number]

    starts = {"numFmt": number_format, "cellXfs": cells_begin, "xf": style}
    ends = {"cellXfs": cells_end}


class Texts(Part):
    """What holds texts, each in pieces where parts of it have a look of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.is_reading_aid = False  # how a Japanese text is read aloud: no part of it

    def aid_begins(self, given: dict[str, str]) -> None:
        self.is_reading_aid = True

    def aid_ends(self) -> None:
        self.is_reading_aid = False

    def piece_ends(self) -> None:
        if not self.is_reading_aid:
            self.pieces.append(self.text)

    starts = {"rPh": aid_begins}
    ends = {"t": piece_ends, "rPh": aid_ends}


class Strings(Texts):
    """The texts that the cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def begin(self, given: dict[str, str]) -> None:
        self.pieces = []

    def end(self) -> None:
        self.texts.append(unescaped("".join(self.pieces)))

    starts = {**Texts.starts, "si": begin}
    ends = {**Texts.ends, "si": end}
