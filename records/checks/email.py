"""E-mail addresses, by email-validator without its DNS look-ups."""

import re

from email_validator import validate_email

from .findings import Checked, finding

_BETWEEN = re.compile(r"[;,|\s]+|/(?=[^/@]*@)")
_LABEL = re.compile(r"^(?:e-?mail|mailto)\s*:\s*", re.IGNORECASE)
_ANGLE = re.compile(r"^[^<>@]*<([^<>\s]+)>$")  # Name <name@example.com>
_AROUND_AT = re.compile(r"\s*@\s*")
_EDGES = '.,;:<>()[] "'  # none of which an address can begin or end with; an apostrophe it can


def _normal(address: str) -> tuple[str | None, str]:
    """The address with its domain in normal form and its local part untouched, or None and the library's reason.

    Not the library's own `normalized`: that also lowers the local part of INFO@ and other role names (RFC 2142),
    and by RFC 5321, 2.4, only the receiving host may decide on the case of a local part.
    """
    try:
        checked = validate_email(address, check_deliverability=False)
    except ValueError as error:  # EmailNotValidError, and what idna raises beside it
        return None, str(error)
    local, _, typed = address.rpartition("@")
    return f"{local}@{checked.ascii_domain if typed.isascii() else checked.domain}", ""


def _bare(text: str) -> str:
    """The address alone: without label, name, brackets and sentence marks."""
    text = _LABEL.sub("", text)
    if match := _ANGLE.match(text):
        text = match[1]
    text = text.strip(_EDGES)
    if text[:1] == text[-1:] == "'":
        text = text.strip("'")
    return _AROUND_AT.sub("@", text)


def _check_several(text: str, value: str) -> Checked | None:
    parts = [_bare(part) for part in _BETWEEN.split(text) if "@" in part]
    usable = list(dict.fromkeys(normal for part in parts[:5] if (normal := _normal(part)[0]) is not None))
    if not usable:
        return None
    if len(usable) == 1 and len(parts) > 1 and len({part.casefold() for part in parts}) == 1:
        return Checked(usable[0], [finding("email.format", "The same address is here twice.", value, usable[0])])
    message = f"The field holds more than one e-mail address; {usable[0]} was taken. Keep one address."
    return Checked(usable[0], [finding("email.several", message, value)])


def check(text: str, value: str) -> Checked:
    """The address with its domain in lower case; only syntax is judged, never whether it answers."""
    if "@" not in text:
        message = "An e-mail address needs an @ sign. Correct it, or move it to the field it belongs to."
        return Checked(None, [finding("email.no_at", message, value)])
    if text.count("@") > 1 and (several := _check_several(text, value)) is not None:
        return several
    address = _bare(text)
    normal, reason = _normal(address)
    if normal is None:
        return Checked(None, [finding("email.invalid", f"This e-mail address cannot be right. {reason}", value)])
    if normal == text:
        return Checked(normal, [])
    if address == text:
        message = "The domain of an e-mail address is kept in lower case."
        return Checked(normal, [finding("email.domain_case", message, value, normal)])
    message = f"Only the address itself belongs here: “{normal}”."
    return Checked(normal, [finding("email.format", message, value, normal)])
