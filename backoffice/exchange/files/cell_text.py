"""What a person sees in a cell of a workbook, for the types a spreadsheet makes of codes and numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from openpyxl.styles.numbers import is_date_format, is_timedelta_format  # type: ignore[import-untyped]
from openpyxl.utils.datetime import from_excel, from_ISO8601  # type: ignore[import-untyped]

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# What XML cannot hold or changes (a carriage return), and what would be read as an escape.
_TO_ESCAPE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SECTIONS = re.compile(r'((?:"[^"]*"|\\.|[^;"\\])*)(?:;|$)', re.DOTALL)
# A zero; text in quotes; an escaped character; a currency or prefix; a gap; a fill; a sign that stands for itself.
_TOKEN = re.compile(
    r'(?P<zero>0)|"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<prefix>[^\]-]*)(?:-[^\]]*)?\]|_(?P<gap>.)|\*(?P<fill>.)'
    r"|(?P<literal>[-+()$:!^&'~{} ]|[^\x00-\x7f])",
    re.DOTALL,
)
_LONGEST_FORMAT = 255  # a spreadsheet's own limit
_EXACT = 1e15  # above it a spreadsheet has no digits left to show


def unescaped(text: str) -> str:
    """_x000D_ is a carriage return. Half of a pair of characters stays as it is typed: no database stores it."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def escaped(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


@dataclass(frozen=True, slots=True)
class Digits:
    """A number format of zeros and literals, for numbers above, below and at zero: lists in which None is a zero."""

    sections: list[list[str | None]]

    def text(self, number: float) -> str:
        whole = int(Decimal(repr(number)).quantize(Decimal(1), ROUND_HALF_UP))
        if number < 0:
            return filled(self.sections[1], whole) if len(self.sections) > 1 else "-" + filled(self.sections[0], whole)
        return filled(self.sections[2] if not number and len(self.sections) > 2 else self.sections[0], whole)


def filled(section: list[str | None], number: int) -> str:
    """The last zero takes the last digit, the first one all that are left."""
    zeros = section.count(None)
    digits = str(abs(number)).zfill(zeros)
    taken = iter([digits[: len(digits) - zeros + 1], *digits[len(digits) - zeros + 1 :]])
    return "".join(next(taken) if part is None else part for part in section)


def digits_format(code: str) -> Digits | None:
    """None if it is made of anything else: a decimal point, a thousands separator, a letter, a colour, a condition."""
    if len(code) > _LONGEST_FORMAT:
        return None
    sections = [list(_parts(section)) for section in _SECTIONS.findall(code)[:-1] or [""]][:3]
    readable = all(None in section and "\x00" not in section for section in sections)
    return Digits(sections) if readable else None


def _parts(section: str) -> Iterator[str | None]:
    at = 0
    while at < len(section):
        token = _TOKEN.match(section, at)
        if token is None:
            yield "\x00"  # no part of such a format
            return
        kind = token.lastgroup or ""
        yield {"zero": None, "gap": " ", "fill": ""}.get(kind, token[kind] if kind else "")
        at = token.end()


class NumberFormat:
    """How the numbers of one cell style are shown; judged once, when the first cell with it comes."""

    def __init__(self, code: str, epoch: datetime) -> None:
        self.epoch = epoch
        code = code[:_LONGEST_FORMAT] if len(code) <= _LONGEST_FORMAT else ""
        self.digits = digits_format(code)
        self.is_duration = bool(code) and is_timedelta_format(code)
        self.is_date = bool(code) and (self.is_duration or is_date_format(code))

    def text(self, stored: str) -> str:
        """Raise ValueError or OverflowError for what is no number, or no date."""
        number = float(stored)
        if self.is_date:
            return moment_text(from_excel(number, self.epoch, timedelta=self.is_duration))
        if self.digits and abs(number) < _EXACT:
            return self.digits.text(number)
        if stored.isascii() and stored.isdigit():
            return str(int(stored))
        return str(int(number)) if number.is_integer() else as_number(number)


def as_number(number: float) -> str:
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("no number")
    return str(number)


def moment_text(value: object) -> str:
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value)


def iso_text(stored: str) -> str:
    """A date that the workbook stores in words."""
    return moment_text(from_ISO8601(stored))
