"""A business partner's record, field by field."""

from collections.abc import Mapping
from typing import Final

from . import country as countries
from . import email, phone, postal, tax_id, website
from .findings import FIELDS, Checked, Finding, finding
from .text import LIMITS, MESSAGES, is_placeholder, prepare

ROLES: Final = ("supplier", "buyer", "customer")

_MISSING: Final = {
    "reference.missing": "The record has no reference. Give it one: other systems find the partner by it.",
    "name.missing": "The partner has no name. Fill it in.",
    "country.missing": "The country is missing, so that tax ID, phone and postal code cannot be checked. Fill it in.",
}
_NO_PLACEHOLDERS: Final = frozenset({"reference", "role"})


def _check_role(text: str, value: str) -> Checked:
    role = text.lower()
    if role not in ROLES:
        message = f"This role is not known. Choose one of {', '.join(ROLES)}."
        return Checked(text, [finding("role.unknown", message, value)])
    if role == text:
        return Checked(role, [])
    return Checked(role, [finding("role.format", "Roles are kept in lower case.", value, role)])


def _check_name(text: str, value: str) -> Checked:
    """Names stay as they are: their case and their legal form are the partner's own business."""
    if any(char.isalpha() for char in text):
        return Checked(text, [])
    message = "There are no letters in this name. Check whether it is a number from another field."
    return Checked(text, [finding("name.no_letters", message, value)])


def _check(field: str, text: str, country: str | None, value: str) -> Checked:
    match field:
        case "country":
            return countries.check(text, value)
        case "tax_id":
            return tax_id.check(text, country, value)
        case "phone":
            return phone.check(text, country, value)
        case "email":
            return email.check(text, value)
        case "website":
            return website.check(text, value)
        case "postal_code":
            return postal.check(text, country, value)
        case "name":
            return _check_name(text, value)
        case "role":
            return _check_role(text, value)
    return Checked(text, [])


def _missing(field: str, raw: str) -> list[Finding]:
    code = f"{field}.missing"
    found = [finding(code, _MISSING[code], raw)] if code in _MISSING else []
    return [*found, finding(f"{field}.spaces", MESSAGES["spaces"], raw, "")] if raw else found


def _placeholder(field: str, value: str) -> Finding:
    if field == "name":
        return finding("name.placeholder", "This is not a name. Fill in the partner's real name.", value)
    message = "This only fills the field. Find the real value, or leave the field empty."
    return finding(f"{field}.placeholder", message, value, "")


def _check_field(field: str, raw: str, country: str | None) -> Checked:
    """Clean the text, look at it as what the field holds, and let all spelling findings suggest the same result."""
    if len(raw) > LIMITS[field]:
        message = f"This has {len(raw):,} characters; at most {LIMITS[field]:,} make sense here. Shorten it."
        return Checked(None, [finding(f"{field}.too_long", message, raw)])
    text, problems = prepare(raw)
    if not text:
        return Checked(None, _missing(field, raw))
    if field not in _NO_PLACEHOLDERS and is_placeholder(field, text):
        return Checked(None, [_placeholder(field, raw)])
    normal, findings = _check(field, text, country, raw)
    if problems:
        final = next((each["suggestion"] for each in findings if each["suggestion"] is not None), text)
        repair = [finding(f"{field}.{kind}", MESSAGES[kind], raw, final if final != raw else None) for kind in problems]
        findings = [*repair, *findings]
    return Checked(normal, findings)


def check_partner(record: Mapping[str, object]) -> tuple[dict[str, str], list[Finding]]:
    """Normal forms of the fields that have one, and the findings in the order of the fields. Never raises."""
    values = {field: "" if (value := record.get(field)) is None else str(value) for field in FIELDS}
    normalised: dict[str, str] = {}
    country = _check_field("country", values["country"], None)
    findings: list[Finding] = []
    for field in FIELDS:
        checked = country if field == "country" else _check_field(field, values[field], country.normal)
        findings += checked.findings
        if checked.normal is not None:
            normalised[field] = checked.normal
    return normalised, findings
