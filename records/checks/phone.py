"""Phone numbers in E.164, by Google's libphonenumber (its Python port, without the geographic data)."""

import re
from typing import Final, NamedTuple

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_region,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
    region_code_for_number,
)

from .country import name_of
from .findings import Checked, Finding, finding

# Territories that share their telephone network with the country they belong to.
_SAME_NETWORK: Final = {
    "FR": frozenset({"GP", "MQ", "GF", "RE", "YT", "BL", "MF", "PM"}),
    "GB": frozenset({"GG", "JE", "IM"}),
    "NO": frozenset({"SJ"}),
    "FI": frozenset({"AX"}),
    "IT": frozenset({"VA"}),
    "US": frozenset({"PR", "VI", "GU", "AS", "MP"}),
}
_NO_REGION: Final = frozenset({None, "001", "ZZ"})  # unknown; and satellite, freephone and the like

_NOT_DIGITS = re.compile(r"\D+")
_LABEL = re.compile(r"^(?:tel(?:efon|ephone|efono|éfono)?|phone|ph|fon|mob(?:ile)?|t)\s*[.:]+\s*", re.IGNORECASE)
# An extension or a house number of a switchboard has up to five digits; more than that is another number.
_CUT = re.compile(r"\s*(?:[;|,]|\b(?:or|oder|ou|and|und|et|lub|alebo|ili|или)\b)\s*(?=[+(\d])|(?<=\d)\s*/?\s*(?=\+)")
_ONE = re.compile(r"\+?[\d\s().-]+")  # what cannot be parted, which is most of it
_EXTENSION_AHEAD = re.compile(r"[;,]\s*(?:ext|x)", re.IGNORECASE)
_ZERO_CODE = re.compile(r"^\+\s*0+(?=[1-9])")
_TOO: Final = {
    ValidationResult.TOO_SHORT: ("phone.too_few_digits", "This phone number is too short for {}."),
    ValidationResult.TOO_LONG: ("phone.too_many_digits", "This phone number is too long for {}."),
    ValidationResult.INVALID_LENGTH: ("phone.impossible", "No phone number of {} has this many digits."),
}


class Read(NamedTuple):
    """A number and whether such numbers are in use: libphonenumber's costliest question, asked once."""

    number: PhoneNumber
    valid: bool


def _read(text: str, country: str | None) -> Read | None:
    try:
        number = parse(text, country)
    except NumberParseException:
        return None
    return Read(number, bool(is_valid_number(number)))


def _e164(number: PhoneNumber) -> str:
    """E.164, with the extension as RFC 3966 writes it."""
    text = str(format_number(number, PhoneNumberFormat.E164))
    return f"{text};ext={number.extension}" if number.extension else text


def _normal(read: Read, country: str | None) -> str:
    """The number in a form that reading it again does not change."""
    text = _e164(read.number)
    if read.valid:
        return text
    while (again := _read(text, country)) is not None and (shorter := _e164(again.number)) != text:
        text = shorter  # the reader drops one trunk zero at a time
    return text


def _split(text: str, country: str | None) -> tuple[list[Read], int]:
    """The numbers in one field and how many parts it has. A slash may be inside a number: “+49 3634/354201”."""
    whole_only = _ONE.fullmatch(text) or _EXTENSION_AHEAD.search(text)
    parts = [text] if whole_only else [part for part in _CUT.split(text) if part]
    if len(parts) <= 1:
        whole = _read(text, country)
        if (whole is not None and whole.valid) or "/" not in text:
            return ([whole] if whole is not None else []), 1
        parts = [part for part in text.split("/") if part.strip()]
    return [read for part in parts[:5] if (read := _read(part, country)) is not None], len(parts)


def _belongs(number: PhoneNumber, country: str) -> bool:
    region = region_code_for_number(number)
    if region in _NO_REGION:
        return bool(number.country_code == country_code_for_region(country)) or region == "001"
    return region == country or region in _SAME_NETWORK.get(country, ())


def _elsewhere(number: PhoneNumber, country: str, value: str) -> Finding:
    """The other country's number; often only the form's default code was left in front of it."""
    region = region_code_for_number(number)
    place = f"of {name_of(region)}" if region not in _NO_REGION else f"with the code +{number.country_code}"
    message = f"This is a number {place}, but the record is in {name_of(country)}. Check which of the two is right."
    local = PhoneNumber(
        country_code=country_code_for_region(country),
        national_number=number.national_number,
        italian_leading_zero=number.italian_leading_zero,
        number_of_leading_zeros=number.number_of_leading_zeros,
    )
    if local.country_code and is_valid_number(local):
        message += f" With the record's own country code it would be {_e164(local)}."
    return finding("phone.other_country", message, value)


def _judge(read: Read, country: str | None, value: str) -> list[Finding]:
    """What libphonenumber says: `possible` is about the length, `valid` about the numbers given out."""
    findings = []
    number = read.number
    if country and not _belongs(number, country):
        findings.append(_elsewhere(number, country, value))
    if read.valid:
        return findings
    reason = is_possible_number_with_reason(number)
    region = region_code_for_number(number)
    place = name_of(region) if region not in _NO_REGION else f"the code +{number.country_code}"
    if reason in _TOO:
        code, message = _TOO[reason]
        return [*findings, finding(code, f"{message.format(place)} Check it with the partner.", value)]
    message = "This phone number has a possible length, but no such numbers are in use. Check it with the partner."
    return [*findings, finding("phone.not_valid", message, value)]


def _same_digits(text: str, normal: str) -> bool:
    """Whether the text is the international number already, however it is punctuated."""
    return text == normal or (text.startswith("+") and _NOT_DIGITS.sub("", text) == normal[1:])


def _choose(text: str, country: str | None) -> tuple[Read | None, int]:
    """The first number in use, else the first that can be read; and how many the field seems to hold."""
    reads, parts = _split(text, country)
    if not reads and (match := _ZERO_CODE.match(text)):  # “+030 2132019955”
        repaired = _read("+" + text[match.end() :], country)
        return repaired, 1
    return next((read for read in reads if read.valid), reads[0] if reads else None), parts


def check(text: str, country: str | None, value: str) -> Checked:
    """E.164 of the (first) number. Spaces and dashes in an international number are nobody's mistake."""
    read, parts = _choose(text if text[0] == "+" else _LABEL.sub("", text), country)
    if read is None:
        return Checked(None, [_unread(text, country, value)])
    if not read.valid and len(set(str(read.number.national_number))) == 1:
        message = "This is no phone number, it only fills the field. Find the number or leave the field empty."
        return Checked(None, [finding("phone.placeholder", message, value, "")])
    findings = _judge(read, country, value)
    if any(each["severity"] == "error" for each in findings):
        return Checked(None, findings)
    normal = _normal(read, country)
    if parts > 1:
        message = f"The field holds more than one number; {normal} was taken. Keep one number."
        findings.append(finding("phone.several", message, value))
    if not findings and not _same_digits(text, normal):
        message = f"In international form this number is {normal}."
        findings.append(finding("phone.format", message, value, normal))
    return Checked(normal, findings)


def _unread(text: str, country: str | None, value: str) -> Finding:
    if country is None and not text.startswith("+") and sum(char.isdigit() for char in text) > 4:
        message = "Without a country the number cannot be read. Fill in the country or start with + and its code."
        return finding("phone.no_country", message, value)
    message = "This cannot be read as a phone number. Type it with + and the country code, such as +33 1 23 45 67 89."
    return finding("phone.unreadable", message, value)
