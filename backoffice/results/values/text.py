"""Text as every column and every encoder takes it: nothing is refused, what cannot stand is shown as its escape.

Lone surrogates come from file names and mail headers, NUL from files that are no text. PostgreSQL takes neither, nor
more characters than a column has.
"""

from hashlib import sha256
from math import isfinite

from celery.exceptions import SoftTimeLimitExceeded

CUT = "…"


def storable(text: str, longest: int | None = None) -> str:
    """The text with escapes for what cannot be stored (\\udce4, \\x00), and a mark where it was cut."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    if "\x00" in text:
        text = text.replace("\x00", "\\x00")
    return text if longest is None or len(text) <= longest else text[: longest - 1] + CUT


def ending(text: str, longest: int) -> str:
    """As `storable`, of a traceback: what it says last is what went wrong."""
    text = storable(text)
    return text if len(text) <= longest else CUT + text[1 - longest :]


def key(text: str, longest: int = 255) -> str:
    """As `storable`, of an id: what is cut from it is told apart by its digest, so that two stay two."""
    text = storable(text)
    return text if len(text) <= longest else text[: longest - 17] + CUT + sha256(text.encode()).hexdigest()[:16]


def said(value: object) -> str:
    """What a foreign object says of itself, though its own code fails."""
    try:
        return str(value)
    except SoftTimeLimitExceeded:
        raise
    except Exception as exc:
        return f"<{type(value).__qualname__}, whose text raises {type(exc).__qualname__}>"


def deep(value: object) -> object:
    """A JSON value with every text in it storable: jsonb takes neither surrogates nor NUL, escaped or not, nor NaN.

    What JSON has no word for is there in its own words.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(said(name)): deep(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [deep(each) for each in value]
    plain = value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    return value if plain else storable(said(value))
