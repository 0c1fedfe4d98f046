"""Postal codes: the form each country gives them.

Forms after Unicode CLDR's postalCodeData.xml (its last version, 26) and the UPU's addressing sheets, which also give
the way of writing them. A form says nothing about the code being in use.
"""

import re
from typing import Final

from .country import name_of
from .findings import Checked, finding

_FORMS: Final[dict[str, tuple[str, str, str]]] = {
    # the form of the letters and digits alone, how its groups are written, an example for the message
    "AD": (r"(AD\d{3})", "{}", "AD500"),
    "AT": (r"([1-9]\d{3})", "{}", "1010"),
    "AU": (r"(\d{4})", "{}", "2000"),
    "BA": (r"(\d{5})", "{}", "71000"),
    "BE": (r"([1-9]\d{3})", "{}", "1000"),
    "BG": (r"(\d{4})", "{}", "1000"),
    "BR": (r"(\d{5})(\d{3})", "{}-{}", "01310-100"),
    "CA": (r"([ABCEGHJ-NPRSTVXY]\d[A-Z])(\d[A-Z]\d)", "{} {}", "K1A 0B1"),
    "CH": (r"([1-9]\d{3})", "{}", "3003"),
    "CN": (r"(\d{6})", "{}", "100000"),
    "CY": (r"(\d{4})", "{}", "1010"),
    "CZ": (r"([1-7]\d{2})(\d{2})", "{} {}", "110 00"),
    "DE": (r"(\d{5})", "{}", "10115"),
    "DK": (r"(\d{4})", "{}", "1050"),
    "EE": (r"(\d{5})", "{}", "10111"),
    "ES": (r"((?:0[1-9]|[1-4]\d|5[0-2])\d{3})", "{}", "28001"),
    "FI": (r"(\d{5})", "{}", "00100"),
    "FO": (r"(\d{3})", "{}", "100"),
    "FR": (r"(\d{5})", "{}", "75001"),
    "GB": (r"(GIR|[A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2}|0AA)", "{} {}", "SW1A 1AA"),
    "GR": (r"(\d{3})(\d{2})", "{} {}", "105 57"),
    "HR": (r"(\d{5})", "{}", "10000"),
    "HU": (r"([1-9]\d{3})", "{}", "1055"),
    # Eircode; D6W is the one routing key with a letter at its end
    "IE": (
        r"([AC-FHKNPRTV-Y]\d[0-9W])([0-9AC-FHKNPRTV-Y]{4})",
        "{} {}",
        "D02 X285",
    ),
    "IL": (r"(\d{5}(?:\d{2})?)", "{}", "9190501"),
    "IN": (r"([1-9]\d{5})", "{}", "110001"),
    "IS": (r"(\d{3})", "{}", "101"),
    "IT": (r"(\d{5})", "{}", "00184"),
    "JP": (r"(\d{3})(\d{4})", "{}-{}", "100-0001"),
    "KR": (r"(\d{5})", "{}", "04524"),
    "LI": (r"(94\d{2})", "{}", "9490"),
    "LT": (r"(?:LT)?(\d{5})", "LT-{}", "LT-01103"),
    "LU": (r"([1-9]\d{3})", "{}", "1009"),
    "LV": (r"(?:LV)?(\d{4})", "LV-{}", "LV-1050"),
    "MC": (r"(980\d{2})", "{}", "98000"),
    "MD": (r"(?:MD)?(\d{4})", "MD-{}", "MD-2001"),
    "ME": (r"(8\d{4})", "{}", "81000"),
    "MK": (r"(\d{4})", "{}", "1000"),
    "MT": (r"([A-Z]{3})(\d{4})", "{} {}", "VLT 1117"),
    "MX": (r"(\d{5})", "{}", "06000"),
    "NL": (r"([1-9]\d{3})([A-Z]{2})", "{} {}", "2594 AN"),
    "NO": (r"(\d{4})", "{}", "0150"),
    "NZ": (r"(\d{4})", "{}", "6011"),
    "PL": (r"(\d{2})(\d{3})", "{}-{}", "00-950"),
    "PT": (r"([1-9]\d{3})(\d{3})", "{}-{}", "1100-148"),
    "RO": (r"(\d{6})", "{}", "010011"),
    "RS": (r"(\d{5})", "{}", "11000"),
    "RU": (r"(\d{6})", "{}", "101000"),
    "SE": (r"([1-9]\d{2})(\d{2})", "{} {}", "111 22"),
    "SI": (r"([1-9]\d{3})", "{}", "1000"),
    "SK": (r"([089]\d{2})(\d{2})", "{} {}", "811 01"),
    "SM": (r"(4789\d)", "{}", "47890"),
    "TR": (r"(\d{5})", "{}", "06100"),
    "UA": (r"(\d{5})", "{}", "01001"),
    "US": (r"(\d{5})(?:(\d{4}))?", "{}-{}", "20500"),
    "XK": (r"([1-7]\d{4})", "{}", "10000"),
    "ZA": (r"(\d{4})", "{}", "0001"),
}
_COMPILED: Final = {code: (re.compile(form), written) for code, (form, written, _) in _FORMS.items()}

# The country in front of the code, as the CEPT once recommended: the sign on its cars or its ISO code. Deprecated.
_SIGNS: Final = {
    "AT": "A",
    "BE": "B",
    "DE": "D",
    "ES": "E",
    "FI": "SF|FIN",
    "FR": "F",
    "HU": "H",
    "IT": "I",
    "LU": "L",
    "NO": "N",
    "PT": "P",
    "SE": "S",
    "SI": "SLO",
}
_PREFIXES: Final = {code: re.compile(rf"^(?:{code}|{_SIGNS.get(code, code)})[\s.\-–—]*(?=\d)") for code in _FORMS}
# Codes of these start with letters of their own.
_OWN_LETTERS: Final = frozenset({"AD", "CA", "GB", "IE", "LT", "LV", "MD", "MT"})
_SEPARATORS = re.compile(r"[\s.\-‐‑–—]+")


def normalise(text: str, country: str) -> str | None:
    """The code as the country writes it, or None where it does not have the country's form."""
    form, written = _COMPILED[country]
    code = text.upper()
    if country not in _OWN_LETTERS:
        code = _PREFIXES[country].sub("", code, count=1)
    match = form.fullmatch(_SEPARATORS.sub("", code))
    if match is None:
        return None
    groups = [group for group in match.groups() if group]
    return written.format(*groups) if len(groups) == form.groups else groups[0]  # a US code without its +4


def check(text: str, country: str | None, value: str) -> Checked:
    """The postal code as its country writes it; countries not in the table (or without codes) are not judged."""
    if country not in _FORMS or country is None:
        return Checked(text, [])
    normal = normalise(text, country)
    if normal == text:
        return Checked(text, [])
    if normal is not None:
        message = f"In {name_of(country)} this postal code is written “{normal}”."
        return Checked(normal, [finding("postal_code.format", message, value, normal)])
    message = f"This is not a postal code of {name_of(country)}: those look like {_FORMS[country][2]}."
    if normalise("0" + text, country) is not None:
        message += " A zero may have been lost at the start."  # what spreadsheets do to 08040
    return Checked(text, [finding("postal_code.form", f"{message} Correct it or leave it empty.", value)])
