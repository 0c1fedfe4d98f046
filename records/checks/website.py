"""Web addresses: http or https, a host that DNS could know, and one of them in the field."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import idna

from .findings import Checked, Finding, finding

# What people make of "http://": slashes too many or too few, the colon lost, the scheme twice.
_SCHEME = re.compile(r"^(https?)\s*(?::\s*[/\\]*|[.;,]?\s*[/\\]{2,})\s*", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"^([a-z][a-z0-9+.\-]*)(?:://|:(?!\d))", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:[;,|\s]|%20)+(?:(?:and|und|et|or|oder|/)\s+)?(?=https?:|www\.)", re.IGNORECASE)
_EMAIL = re.compile(r"^(?:mailto:)?[^@/\s:?#]+@[^@/\s:?#]+$", re.IGNORECASE)
# RFC 952 and 1123, and the underscore that DNS and browsers allow; a top level is letters or an A-label.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9\-]{2,59})")
# What needs no second look, which is most of it: a lower-case host and nothing that could part two addresses.
_PLAIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?:/[A-Za-z0-9._~/\-]*)?")
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_LABEL = re.compile(r"^(?:url|web(?:site)?|internet|homepage)\s*:\s*(?=\S)", re.IGNORECASE)
_HOST_END = re.compile(r"[/?#]")
_UNSAFE: Final = {" ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "`": "%60", "{": "%7B", "}": "%7D"}
_QUOTE: Final = str.maketrans(_UNSAFE)

MESSAGES: Final = {
    "website.unreadable": "This is not a web address. Type one such as http://www.example.com or leave it empty.",
    "website.scheme": "A web address starts with http:// or https://. Type such an address or leave it empty.",
    "website.host": "No web site can have this host name. Check the part before the first slash.",
    "website.ip_address": "This is the address of a machine, not of a site. Ask for the site's name.",
    "website.is_email": "This is an e-mail address. Move it to the e-mail field.",
    "website.credentials": "The address contains a user name, perhaps a password. Keep only what follows the @ sign.",
}


def _found(code: str, value: str) -> Finding:
    return finding(code, MESSAGES[code], value)


@lru_cache(maxsize=4096)
def _ascii_host(host: str) -> str | None:
    """The host as DNS knows it: lower case, A-labels (IDNA 2008, UTS 46), or None if it cannot exist."""
    host = host.lower() if host.isascii() else host
    if not host.isascii() or "xn--" in host:
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError, ValueError):
            return None
    return host if len(host) <= 253 and (_HOST.fullmatch(host) or _IPV4.fullmatch(host)) else None


def _split_scheme(text: str) -> tuple[str, str]:
    """The last of the schemes at the start ("" if none) and what follows them."""
    scheme, rest = "", text
    while match := _SCHEME.match(rest):
        scheme, rest = match[1].lower(), rest[match.end() :]
    return scheme, rest


def _one(text: str, value: str) -> tuple[str | None, list[Finding]]:
    """One address in normal form, and what is wrong with it."""
    scheme, rest = _split_scheme(text)
    if _EMAIL.match(rest):
        return None, [_found("website.is_email", value)]
    rest = rest.lstrip("/")
    if not scheme and _OTHER_SCHEME.match(rest):
        return None, [_found("website.scheme", value)]
    end = match.start() if (match := _HOST_END.search(rest)) else len(rest)
    authority, tail = rest[:end].strip(), rest[end:]
    if not tail:
        authority = authority.rstrip(".,;:")
    return _assemble(scheme or "http", authority, tail, bool(scheme), value)


def _assemble(scheme: str, authority: str, tail: str, had_scheme: bool, value: str) -> tuple[str | None, list[Finding]]:
    """Judge the parts and put them together again."""
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        typed, port = parts.hostname or "", parts.port
    except ValueError:
        return None, [_found("website.host", value)]
    host = _ascii_host(typed.rstrip("."))
    if host is None:
        return None, [_found("website.host" if had_scheme or "." in typed else "website.unreadable", value)]
    normal = f"{scheme}://{host}{f':{port}' if port is not None else ''}{tail.translate(_QUOTE)}"
    findings = []
    if "@" in authority:
        return None, [_found("website.credentials", value)]
    if _IPV4.fullmatch(host):
        findings.append(_found("website.ip_address", value))
    return normal, findings


def _spelling(text: str, normal: str, value: str) -> list[Finding]:
    """What to say of the difference between the text and its normal form, if it is worth saying."""
    scheme, rest = _split_scheme(text)
    if not scheme:
        # Not https: whether the site has it cannot be known without asking it, and a browser upgrades by itself.
        return [finding("website.no_scheme", f"A web address starts with http://: “{normal}”.", value, normal)]
    typed = _HOST_END.split(rest, maxsplit=1)[0]
    if not typed.isascii() and text == normal.replace(_HOST_END.split(normal[len(scheme) + 3 :], 1)[0], typed, 1):
        return []  # München.de is right for people, xn--mnchen-3ya.de for machines: no correction
    return [finding("website.format", f"Written correctly this address is “{normal}”.", value, normal)]


def check(text: str, value: str) -> Checked:
    """The (first) address with scheme and host in normal form; path and query stay as they are."""
    if _PLAIN.fullmatch(text) and "xn--" not in text:
        return Checked(text, [])
    bare = _LABEL.sub("", text).replace("\\", "/")
    parts = [part for part in _BETWEEN.split(bare) if part]
    results = [_one(part.rstrip(" ;,|"), value) for part in parts[:5]] or [_one(bare, value)]
    normal, findings = next((result for result in results if result[0] is not None), results[0])
    if normal is None:
        return Checked(None, findings)
    if len({result[0] for result in results}) > 1:
        message = f"The field holds more than one web address; {normal} was taken. Keep one address."
        return Checked(normal, [*findings, finding("website.several", message, value)])
    if normal != text and not findings:
        findings = _spelling(text, normal, value)
    return Checked(normal, findings)
