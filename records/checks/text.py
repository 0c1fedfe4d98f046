"""What holds for the text of every field: length, spaces, invisible characters, damaged letters, HTML."""

import html
import re
import unicodedata
from typing import Final, NamedTuple

# Longer values are refused unread: no regex or parser below ever sees them. Several times the longest real value.
LIMITS: Final = {
    "reference": 100,
    "role": 50,
    "name": 500,
    "address": 500,
    "town": 200,
    "postal_code": 40,
    "country": 100,
    "tax_id": 120,
    "phone": 120,
    "email": 400,
    "website": 2000,
}

MESSAGES: Final = {
    "mojibake": "Letters were damaged on the way here (UTF-8 read as Windows-1252). Check the repaired text.",
    "encoding": "Some letters were damaged on the way here and cannot be restored. Type the value again.",
    "markup": "This looks like HTML. Keep the plain text only.",
    "entities": "This contains HTML codes such as “&amp;”. Write the characters themselves.",
    "control_characters": "This contains invisible characters. They can be removed safely.",
    "spaces": "This has superfluous spaces or line breaks. They can be removed safely.",
}


class Prepared(NamedTuple):
    """The cleaned text (NFC, single spaces) and which of `MESSAGES` had to be dealt with."""

    text: str
    problems: tuple[str, ...]


# Zero-width space and joiners that no name needs, soft hyphen, direction marks, byte order mark. ZWJ and ZWNJ stay:
# Persian and Indic spelling uses them.
_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
_CONTROL = re.compile(f"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f{_INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#[xX][0-9a-fA-F]{1,5});")
_TAG = re.compile(r"<(?![^<>\s@]{1,64}@)[a-zA-Z/!?]")  # but not “Name <name@example.com>”

# Windows-1252 shows the bytes 80-9F as these; undone so that a damaged text can be read as bytes again.
_CP1252: Final = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_HIGH = "\u0080-\u00bf" + "".join(map(chr, _CP1252))
# First bytes of two-byte letters (Latin, Greek, Cyrillic) and of “â€”, the damaged quotation marks and dashes.
_DAMAGED = re.compile(f"[ÂÃÄÅÎÏÐÑ][{_HIGH}]|â[{_HIGH}][{_HIGH}]")
_SURELY_DAMAGED = re.compile(f"Ã[{_HIGH}]|â€|\ufffd")
_SUSPECT = re.compile(
    f"[\x00-\x1f\x7f-\x9f{_INVISIBLE}\ud800-\udfff\ufffd<]|&[#a-zA-Z]|[^\\S ]|  |^ | $|[ÂÃÄÅÎÏÐÑâ][{_HIGH}]"
)


def _undamage(text: str) -> str | None:
    """The text before UTF-8 was read as Windows-1252, if the whole of it makes the way back."""
    try:
        repaired = text.translate(_CP1252).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    if not _CONTROL.search(repaired):
        return repaired
    return _undamage(repaired) if _DAMAGED.search(repaired) else None  # damaged twice over


def _unescape(text: str) -> str:
    """Undo HTML entities, unless that would make HTML of a harmless text."""
    plain = html.unescape(text)
    return text if "<" in plain and "<" not in text else plain


def _clean_once(text: str, problems: dict[str, None]) -> str:
    cleaned = _SURROGATE.sub("\ufffd", text)
    cleaned = unicodedata.normalize("NFC", cleaned)
    if _DAMAGED.search(cleaned) and (repaired := _undamage(cleaned)) is not None:
        problems["mojibake"] = None
        cleaned = repaired
    if _ENTITY.search(cleaned) and (unescaped := _unescape(cleaned)) != cleaned:
        problems["entities"] = None
        cleaned = unescaped
    if (stripped := _CONTROL.sub("", cleaned)) != cleaned:
        problems["control_characters"] = None
        cleaned = stripped
    if (collapsed := _SPACES.sub(" ", cleaned).strip()) != cleaned:
        problems["spaces"] = None
        cleaned = collapsed
    return cleaned


def _is_clean(value: str) -> bool:
    if value.isascii():  # most values: a dozen times faster than the regex
        plain = value.isprintable() and "<" not in value and "&" not in value
        return plain and "  " not in value and value == value.strip()
    return not _SUSPECT.search(value) and unicodedata.is_normalized("NFC", value)


def prepare(value: str) -> Prepared:
    """Clean a value of bounded length. Cleaning a cleaned text changes nothing."""
    if _is_clean(value):
        return Prepared(value, ())
    problems: dict[str, None] = {}
    before, text = None, value
    while text != before:  # what one repair uncovers the next pass sees; every repair shortens, so it ends
        before, text = text, _clean_once(text, problems)
    if _SURELY_DAMAGED.search(text):
        problems["encoding"] = None
    if _TAG.search(text):
        problems["markup"] = None
    return Prepared(text, tuple(problems))


# Words that are no value in any field...
_NO_VALUE: Final = (
    "n/a|n.a.|n.a|none|null|unknown|unspecified|undefined|tbd|tba|to be defined|not applicable|not available"
    "|not provided|not specified|no data|keine angabe|nicht vorhanden|unbekannt|sans objet|non applicable|inconnu"
    "|no procede|no aplica|non disponibile|onbekend|n.v.t.|nie dotyczy|neuvedeno|neuvedené|ej tillämpligt|ikke oplyst"
    "|não aplicável|δεν υπάρχει"
)
# ...and words that can be a name, a town or a country ("NAV" is a Norwegian agency, "NA" is Namibia) but no number.
_NO_NUMBER: Final = (
    "na|nil|nvt|k.a.|k.a|no|keine|keiner|entfällt|néant|neant|aucun|aucune|ninguno|ninguna|nessuno|nessuna|geen|brak"
    "|nincs|nema|няма|липсва|nav|puudub|není|nie je|inget|saknas|ingen|ukjent|missing"
)
_WORDS: Final = frozenset(_NO_VALUE.split("|"))
_NUMBER_WORDS: Final = _WORDS | frozenset(_NO_NUMBER.split("|"))
_FILLER = re.compile(r"[-–—_.?*/\\#+,:;~'\"()\s]*|[xX]{2,}|[0\s./()+-]{4,}")
_NAMES: Final = frozenset({"name", "address", "town", "country"})


def is_placeholder(field: str, text: str) -> bool:
    """Whether somebody typed something only because the field wanted something."""
    if len(text) > 20:
        return False
    words = _WORDS if field in _NAMES else _NUMBER_WORDS
    return text.casefold() in words or _FILLER.fullmatch(text) is not None
