"""Letters as a search takes them, accents left out, and the digits of telephone numbers: in Python and in SQL alike."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from phonenumbers import NumberParseException, parse

# Letters that have accents: Latin in three parts, Greek, Cyrillic, more Latin.
PARTS: Final = ((0xC0, 0x100), (0x100, 0x180), (0x180, 0x250), (0x370, 0x400), (0x400, 0x500), (0x1E00, 0x1F00))
MARKS: Final = (0x300, 0x330)  # accents that stand by themselves after their letter
ALONE: Final = {"ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i", "ħ": "h", "Ħ": "H"}
TWO: Final = {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH"}

BETWEEN_DIGITS: Final = " -/().+"
FEWEST = 5  # digits of a number that is searched as such
_TYPED = re.compile(r"[\d\s()./+-]+")


def _base(letter: str) -> str:
    """Without its accents; itself where it has none."""
    first, *marks = list(unicodedata.normalize("NFD", letter))
    return first if all(map(unicodedata.combining, marks)) else letter


ONE: Final = ALONE | {
    letter: base
    for start, end in PARTS
    for letter in map(chr, range(start, end))
    if (base := _base(letter)) != letter and unicodedata.normalize("NFC", letter) == letter
}
_ALL: Final = ONE | TWO | dict.fromkeys(map(chr, range(*MARKS)), "")
_TABLE: Final = str.maketrans(_ALL)


def folded(text: str) -> str:
    return text.translate(_TABLE)


def digits(phone: str) -> str:
    return phone.replace("(0)", "").translate(dict.fromkeys(map(ord, BETWEEN_DIGITS)))


def telephone(text: str) -> str:
    """What is typed, if it may be a telephone number: its digits as they stand in each way of writing it, so without
    the country's code and the zero before the town's. "" for anything else."""
    found = digits(text)
    if not (_TYPED.fullmatch(text) and found.isdecimal()):
        return ""
    if text.lstrip().startswith(("+", "00")):
        try:
            found = str(parse(f"+{found.lstrip('0')}").national_number)
        except NumberParseException:
            found = found.lstrip("0")
    found = found.lstrip("0")
    return found if len(found) >= FEWEST else ""


# --- the same in SQL


def sql_digits(column: str) -> str:
    found = f"replace({column}, '(0)', '')"
    for sign in BETWEEN_DIGITS:
        found = f"replace({found}, '{sign}', '')"
    return found


def on_postgresql(name: str) -> str:
    """A function that folds. It looks for letters of each part first: `translate` compares each letter with all."""
    steps = []
    for start, end in (*PARTS, MARKS):
        some = {letter: plain for letter, plain in _ALL.items() if start <= ord(letter) < end}
        steps += [f"t := replace(t, '{letter}', '{TWO[letter]}');" for letter in some if letter in TWO]
        one = {letter: plain for letter, plain in some.items() if len(plain) == 1}
        gone = "".join(letter for letter, plain in some.items() if not plain)
        by_one = f"t := translate(t, '{''.join(one)}{gone}', '{''.join(one.values())}');"
        steps.append(f"IF t ~ '[{chr(start)}-{chr(end - 1)}]' THEN {by_one} END IF;")
    return (
        f"CREATE OR REPLACE FUNCTION {name}(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
        f" IF octet_length(t) <> length(t) THEN {' '.join(steps)} END IF; RETURN t; END $$"
    )


def on_sqlite(table: str, which: str) -> Iterator[str]:
    """A few letters a statement, as SQLite takes no deeper nesting; each looks first whether it has anything to do."""
    every = sorted(_ALL.items())
    for start in range(0, len(every), 24):
        some = every[start : start + 24]
        text = "text"
        for letter, plain in some:
            text = f"replace({text}, '{letter}', '{plain}')"
        has_any = f"text GLOB '*[{some[0][0]}-{some[-1][0]}]*'"
        yield f"UPDATE {table} SET text = {text} WHERE {which} AND {has_any}"  # noqa: S608 - letters of our own
