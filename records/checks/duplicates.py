"""By what two records are taken for the same partner: texts that are equal then, for a person to compare.

Equal, and not merely alike: of the 1,500 rows of the TED sample 226 pairs share one of these; of the 76 more that are
alike by four letters in five, nearly all are neighbours ("Vaasan kaupunki", "Vantaan kaupunki").
"""

import re
import unicodedata
from typing import Final

from . import tax_id as tax_ids
from .country import iso_code
from .text import LIMITS, is_placeholder, prepare

RULES: Final = "2"  # raise it with every change below: all records are compared anew

# Legal forms say little about identity and are left out of the comparison, never out of the record.
_FORMS: Final = (
    "ab ad ag aps as asa bv bvba ccc co corp dd doo eg ev eood gmbh inc jsc kft kg llc ltd limited mbh nv nyrt og oo"
    " ood oy oyj ou plc pte sa sarl sas sasu sc scs se sia sl slu snc sp spa sprl srl sro uab ug vzw zoo zrt"
    " еад еоод ад оод αε"
)
_LEGAL_FORMS: Final = frozenset(_FORMS.split())
_NOT_LETTERS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"\([^()]*\)|/[^/]{1,12}/$")
_INITIALS = re.compile(r"\b\w(?: \w)+\b")
_SPELLINGS: Final = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ck", "k"), ("ph", "f"), ("th", "t"), ("ij", "y"))
_VOWELS = re.compile("[aeiouy]")
_DOUBLED = re.compile(r"(.)\1+")
MAX_LENGTH: Final = 200
SHORTEST_NUMBER: Final = 5


def likenesses(name: str, town: str, country: str, tax_id: str) -> dict[str, str]:
    """What is equal in a record of the same partner, under the name of each; empty where nothing can be said."""
    code = iso_code(prepare(country[: LIMITS["country"]]).text) or ""
    words, place = _words(name), " ".join(_words(town))
    sound = " ".join(sorted(map(_sound, words)))
    return {
        "tax_id": _number(tax_id, code),
        "name": f"{code} {' '.join(sorted(words))}" if words else "",
        "spelling": f"{code} {sound} in {place}" if words and place else "",
    }


def _number(raw: str, country: str) -> str:
    """As its check writes it, or else its letters and digits; with the country's prefix or without it the same."""
    if not raw or len(raw) > LIMITS["tax_id"]:
        return ""
    text, _problems = prepare(raw)
    if not text or is_placeholder("tax_id", text):
        return ""
    normal = tax_ids.check(text, country or None, raw).normal or text
    plain = "".join(char for char in normal.upper() if char.isalnum())
    prefix = iso_code(plain[:2])
    if prefix and country in ("", prefix):  # another country's may be none: "SC123456" is Scottish, not of Seychelles
        country, plain = prefix, plain[2:]
    return f"{country} {plain}" if len(plain) >= SHORTEST_NUMBER and any(map(str.isdigit, plain)) else ""


def _words(text: str) -> list[str]:
    """Without accents, case, marks and bracketed asides; without legal forms if anything else is left."""
    text = text[:MAX_LENGTH]
    if is_placeholder("name", text):
        return []
    base = unicodedata.normalize("NFKD", text.casefold()).replace(".", "").replace("'", "")
    plain = "".join(char for char in base if not unicodedata.combining(char))
    outside = _BRACKETS.sub(" ", plain)
    words = _NOT_LETTERS.sub(" ", outside if outside.strip() else plain)
    joined = _INITIALS.sub(lambda match: match[0].replace(" ", ""), words).split()  # "d o o" is "doo"
    return [word for word in joined if word not in _LEGAL_FORMS] or joined


def _sound(word: str) -> str:
    """Müller, Mueller and Muller, Rostock and Rostok: without the vowels but a first one, and doubled letters."""
    for spelt, kept in _SPELLINGS:
        word = word.replace(spelt, kept)
    return _DOUBLED.sub(r"\1", word[:1] + _VOWELS.sub("", word[1:]))
