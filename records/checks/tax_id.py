"""Tax IDs: a VAT number, a national registration number, or whatever else was typed into the field.

Only a number that claims to be of a kind and fails that kind's check is wrong. One that no library knows may well be
right (a Dutch KvK or a British company number has no check digit): somebody has to look.
"""

import re
from typing import Final, NamedTuple

from .country import name_of
from .findings import Checked, Finding, finding
from .tax_schemes import PREFIXES, Scheme, home, schemes, short_regon, text_schemes, written_prefix

_SEPARATORS = re.compile(r"[\s.\-‐‑–—/:'’·()]+")
_ALNUM = re.compile(r"[0-9A-Z]+")
_DIGIT = re.compile(r"[0-9]")
_DATE_LIKE = re.compile(r"[/:()]")

# Words in front of the number, and the countries where they name a scheme of the table ("" = no particular one).
_LABELS: Final = {
    "SIRET": "FR", "SIREN": "FR", "OIB": "HR", "NIP": "PL", "REGON": "PL", "CVR": "DK", "CVR-NR": "DK", "NIPC": "PT",
    "NIF": "ES PT", "CIF": "ES RO", "CUI": "RO", "C.U.I.": "RO", "IČO": "CZ SK", "ICO": "CZ SK", "IČ": "CZ",
    "DIČ": "CZ",
    "IČ DPH": "SK", "CODICE FISCALE": "IT", "C.F.": "IT", "CF": "IT", "CF/P.IVA": "IT", "CF E P.IVA": "IT",
    "P.IVA": "IT", "P. IVA": "IT", "P IVA": "IT", "PIVA": "IT",
    "PARTITA IVA": "IT", "Y-TUNNUS": "FI", "ORG.NR": "NO SE", "ORGNR": "NO SE",
    "ORG NR": "NO SE", "ORG. NR": "NO SE", "EIK": "BG", "ЕИК": "BG", "БУЛСТАТ": "BG", "BULSTAT": "BG", "ΑΦΜ": "GR",
    "Α.Φ.Μ.": "GR", "AFM": "GR", "ABN": "AU", "EIN": "US", "CNPJ": "BR", "KBO": "BE", "BCE": "BE", "UID": "",
    "VAT": "", "VAT NO": "", "VAT NR": "", "VAT ID": "", "VAT REG NO": "", "VAT NUMBER": "", "TVA": "", "N° TVA": "",
    "BTW": "", "BTW-NR": "", "MWST": "", "UST-ID": "", "UST-IDNR": "", "UST-ID-NR": "", "USTID": "", "USTIDNR": "",
    "UST.-ID": "", "IVA": "", "TAX ID": "", "TAX NO": "", "TIN": "", "STEUERNUMMER": "", "ST.-NR": "", "MVA": "",
}  # fmt: skip
_ANY_LABEL = "|".join(sorted(map(re.escape, _LABELS), key=len, reverse=True))
_LABEL = re.compile(
    rf"({_ANY_LABEL})(?![A-Z])[\s.:#°º]*(?:(?:NO|NR|N°)\b[\s.:]*)?",
    re.IGNORECASE,
)

# A number inside other text: at least seven digits in one run, a prefix or a check letter at its ends.
_INSIDE = re.compile(
    r"(?<![0-9A-Z_])(?:[A-Z]{2}[ .]?)?[A-Z]?\d(?:[ .\-]?\d){6,17}(?:[ ]?MVA|[ \-]?[A-Z](?![0-9A-Z]))?(?!\d)"
)


class Match(NamedTuple):
    """A number that passes the check of a scheme."""

    normal: str
    kind: str  # "" as typed, "prefix" where the prefix had to be added


class Mismatch(NamedTuple):
    """What is to be said of a number that passes no check: a code, and the scheme it claims to be of."""

    code: str
    label: str


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", text.upper())


def _national(scheme: Scheme, number: str) -> str:
    """A number without VAT prefix, as its register writes it."""
    if scheme.module == "fi.ytunnus":
        return f"{number[:7]}-{number[7:]}"
    if scheme.module == "at.businessid":
        return f"FN {number.removeprefix('FN').lower()}"
    if scheme.module == "pl.regon":
        return short_regon(number)
    return f"0{number}" if scheme.module == "be.vat" and len(number) == 9 else number  # nine digits until 2005


def _with_prefix(scheme: Scheme, prefix: str, number: str) -> str:
    if scheme.module == "be.vat" and len(number) == 9:
        number = f"0{number}"
    return written_prefix(prefix) + number


def _prefix_of(number: str, country: str) -> str | None:
    """The record's own VAT prefix at the start of the number."""
    prefix = number[:2]
    return prefix if PREFIXES.get(prefix) == country and _DIGIT.search(number) else None


def _match(number: str, country: str, *, abroad: bool = False) -> Match | None:
    """The number in normal form, if any scheme of the country accepts it; abroad its prefix must stay."""
    known = schemes(country)
    if (prefix := _prefix_of(number, country)) is not None:
        rest = number[2:]
        for scheme in known:
            if scheme.vat and scheme.fits(rest) and scheme.accepts(rest):
                return Match(_with_prefix(scheme, prefix, rest), "")
        for scheme in known:  # NO + organisation number, SE + organisation number: no VAT number, but a known one
            if scheme.bare and scheme.fits(rest) and scheme.accepts(rest):
                return Match(number if abroad else _national(scheme, rest), "")
    for scheme in known:
        if scheme.fits(number) and scheme.accepts(number):
            if scheme.bare:
                return Match(_national(scheme, number), "")
            return Match(_with_prefix(scheme, country, number), "prefix")
    return None


def _claim(number: str, country: str, labelled: bool) -> Mismatch | None:
    """Why a number that nothing accepts is wrong rather than unknown; None if it claims nothing."""
    prefix = _prefix_of(number, country)
    rest = number[2:] if prefix else number
    for scheme in schemes(country):
        if scheme.fits(rest) and (scheme.vat if prefix else scheme.claims or labelled):
            return Mismatch("tax_id.check_digit", f"{scheme.label} of {name_of(country)}")
    digits = sum(char.isdigit() for char in rest)
    # Fewer than seven digits behind DE are a region ("DE401" is a NUTS code), not a damaged VAT number.
    if (prefix or labelled) and digits >= 7 and len(rest) - digits <= 3:
        return Mismatch("tax_id.form", f"{'VAT' if prefix else 'tax'} number of {name_of(country)}")
    return None


def _foreign(number: str, country: str | None) -> tuple[Match | None, Mismatch | None, str]:
    """What another country's VAT prefix makes of the number."""
    other = PREFIXES.get(number[:2])
    if other is None and number.startswith("CHE"):
        other = "CH"
    if other is None or other == country:
        return None, None, ""
    match = _match(number, other, abroad=True)
    if match is not None:
        return match, None, other
    fits = any(scheme.vat and scheme.fits(number[2:]) for scheme in schemes(other))
    return None, Mismatch("tax_id.check_digit", f"VAT number of {name_of(other)}") if fits else None, other


def _numbers_inside(text: str, country: str) -> list[str]:
    found = [_match(_compact(token), country) for token in _INSIDE.findall(text.upper())]
    return list(dict.fromkeys(match.normal for match in found if match is not None))


def _strip_label(text: str, country: str | None) -> tuple[str, bool]:
    """The text without the words in front of the number, and whether they name a scheme of this country."""
    match = None if text[0].isdigit() else _LABEL.match(text)
    if match is None:
        return text, False
    countries = _LABELS.get(match[1].upper(), "").split()
    rest = text[match.end() :]
    return (rest, country in countries) if _DIGIT.search(rest) else (text, False)


def _wrong(mismatch: Mismatch, value: str) -> Finding:
    if mismatch.code == "tax_id.form":
        message = f"This cannot be a {mismatch.label}: digits are missing or too many."
    else:
        message = f"The check digit is wrong: no valid {mismatch.label}. A digit may have been mistyped."
    return finding(mismatch.code, f"{message} Ask the partner for the number.", value)


def _accepted(match: Match, text: str, value: str) -> Checked:
    if match.normal == text:
        return Checked(text, [])
    if match.kind == "prefix":
        message = f"This is a VAT number; with its country prefix it is {match.normal}."
        return Checked(match.normal, [finding("tax_id.prefix", message, value, match.normal)])
    message = f"In its normal form, with nothing around it, this number is {match.normal}."
    return Checked(match.normal, [finding("tax_id.format", message, value, match.normal)])


def _of_text(text: str, country: str) -> Match | None:
    """A register entry that is more than letters and digits: “HRB 11223 Berlin”, “J40/1234/2001”."""
    for scheme in text_schemes(country):
        if scheme.fits(text) and scheme.accepts(text) and scheme.validate is not None:
            return Match(str(scheme.validate(text)), "")
    return None


def _unknown(text: str, country: str | None, value: str) -> Checked:
    """What is left: other text with a number in it, no number at all, or a number nobody can judge."""
    inside = _numbers_inside(text, country) if country else []
    if len(inside) > 1:
        message = f"The field holds more than one number: {', '.join(inside[:3])}. Keep the VAT number."
        return Checked(inside[0], [finding("tax_id.several", message, value)])
    if inside:
        message = f"There is other text around the number {inside[0]}. Keep the number only."
        return Checked(inside[0], [finding("tax_id.extra_text", message, value)])
    if not _DIGIT.search(text):
        message = "There is no number in this. Ask the partner for the tax ID, or leave the field empty."
        return Checked(text, [finding("tax_id.no_number", message, value)])
    place = f" for {name_of(country)}" if country else ""
    message = f"No check is known for this number{place}. Compare it with an invoice or the public register."
    return Checked(text, [finding("tax_id.unrecognised", message, value)])


def check(text: str, country: str | None, value: str) -> Checked:
    """The number in normal form: compact, with the prefix VIES wants if it is, or can only be, a VAT number."""
    country = home(country) if country else None
    bare, labelled = _strip_label(text, country)
    number = _compact(bare)
    if country and (match := _of_text(text, country)) is not None:
        return _accepted(match, text, value)
    if not number.isascii() or not _ALNUM.fullmatch(number):
        return _unknown(text, country, value)
    if country and (match := _match(number, country)) is not None:
        return _accepted(match, text, value)
    foreign, mismatch, other = _foreign(number, country)
    if foreign is not None:
        if country is None:
            return _accepted(foreign, text, value)
        message = f"This is a number of {name_of(other)}, but the record is in {name_of(country)}. Check both."
        return Checked(foreign.normal, [finding("tax_id.other_country", message, value)])
    if country:
        mismatch = (None if _DATE_LIKE.search(bare) else _claim(number, country, labelled)) or mismatch
    return Checked(text, [_wrong(mismatch, value)]) if mismatch is not None else _unknown(text, country, value)
