"""What a check says: the findings, their codes and the verdict they add up to."""

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypedDict, get_args

RULES_VERSION: Final = "2026.11"  # raise it with every change of a rule: records keep the version that checked them

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final = get_args(Severity)
Verdict = Literal["invalid", "review", "corrected", "valid"]


class Finding(TypedDict):
    """One thing to say about one field; `suggestion` is what `apply_corrections` would write into it."""

    field: str
    code: str
    severity: Severity
    message: str
    value: str
    suggestion: str | None


class Checked(NamedTuple):
    """A field's normal form (None: the value is not usable) and what was found on the way."""

    normal: str | None
    findings: list[Finding]


FIELDS: Final = (
    "reference",
    "role",
    "name",
    "address",
    "town",
    "postal_code",
    "country",
    "tax_id",
    "phone",
    "email",
    "website",
)

# Any text field can have these; the label is read as "<Field>: <label>".
_TEXT_RULES: Final[dict[str, tuple[Severity, str]]] = {
    "too_long": ("error", "too long"),
    "mojibake": ("warning", "damaged letters, repairable"),
    "encoding": ("warning", "damaged letters"),
    "markup": ("warning", "contains HTML"),
    "entities": ("info", "contains HTML entities"),
    "control_characters": ("info", "invisible characters"),
    "spaces": ("info", "superfluous spaces"),
    "placeholder": ("warning", "placeholder"),
}

_FIELD_RULES: Final[dict[str, tuple[Severity, str]]] = {
    "reference.missing": ("error", "missing"),
    "role.unknown": ("warning", "unknown"),
    "role.format": ("info", "spelling"),
    "name.missing": ("error", "missing"),
    "name.placeholder": ("error", "placeholder"),
    "name.no_letters": ("warning", "has no letters"),
    "country.missing": ("warning", "missing"),
    "country.unknown": ("warning", "not recognised"),
    "country.format": ("info", "not the ISO code"),
    "postal_code.form": ("warning", "not of the country's form"),
    "postal_code.format": ("info", "spelling"),
    "tax_id.check_digit": ("error", "check digit is wrong"),
    "tax_id.form": ("error", "impossible form"),
    "tax_id.unrecognised": ("warning", "not recognised"),
    "tax_id.no_number": ("warning", "contains no number"),
    "tax_id.other_country": ("warning", "of another country"),
    "tax_id.several": ("warning", "several numbers"),
    "tax_id.extra_text": ("warning", "other text around the number"),
    "tax_id.format": ("info", "spelling"),
    "tax_id.prefix": ("info", "country prefix"),
    "phone.unreadable": ("error", "not a phone number"),
    "phone.too_few_digits": ("error", "too few digits"),
    "phone.too_many_digits": ("error", "too many digits"),
    "phone.impossible": ("error", "impossible length"),
    "phone.no_country": ("warning", "country unknown"),
    "phone.not_valid": ("warning", "possible but not in use"),
    "phone.other_country": ("warning", "of another country"),
    "phone.several": ("warning", "several numbers"),
    "phone.format": ("info", "spelling"),
    "email.no_at": ("error", "no @ sign"),
    "email.invalid": ("error", "not usable"),
    "email.several": ("warning", "several addresses"),
    "email.format": ("info", "spelling"),
    "email.domain_case": ("info", "capitals in the domain"),
    "website.unreadable": ("error", "not a web address"),
    "website.scheme": ("error", "neither http nor https"),
    "website.host": ("error", "impossible host name"),
    "website.ip_address": ("warning", "a bare IP address"),
    "website.is_email": ("warning", "is an e-mail address"),
    "website.credentials": ("warning", "contains a user name"),
    "website.several": ("warning", "several addresses"),
    "website.no_scheme": ("info", "http:// missing"),
    "website.format": ("info", "spelling"),
}


def _name(field: str) -> str:
    return {"tax_id": "Tax ID", "email": "E-mail"}.get(field, field.replace("_", " ").capitalize())


_RULES: Final[dict[str, tuple[Severity, str]]] = {
    f"{field}.{kind}": rule for field in FIELDS for kind, rule in _TEXT_RULES.items()
} | _FIELD_RULES
_LABELS: Final = {code: f"{_name(code.partition('.')[0])}: {label}" for code, (_, label) in sorted(_RULES.items())}


def codes() -> dict[str, str]:
    """Every code with a short human label, for filters. Codes are stable: never reuse or rename one."""
    return dict(_LABELS)


# PostgreSQL's jsonb stores neither NUL nor lone surrogates, and a finding need not hold a whole book.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
SHOWN = 200


def shown(value: str) -> str:
    """The input as a finding may keep it: storable as JSON everywhere and at most `SHOWN` characters long."""
    if len(value) > SHOWN:
        value = value[: SHOWN - 1] + "…"
    return value if value.isascii() and "\x00" not in value else _UNSTORABLE.sub("\ufffd", value)


def finding(code: str, message: str, value: str, suggestion: str | None = None) -> Finding:
    """Build a finding; field and severity follow from the code, so that a code always weighs the same."""
    return {
        "field": code.partition(".")[0],
        "code": code,
        "severity": _RULES[code][0],
        "message": message,
        "value": shown(value),
        "suggestion": suggestion,
    }


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The worst finding decides; an info without a suggestion decides nothing."""
    verdict: Verdict = "valid"
    for each in findings:
        if each["severity"] == "error":
            return "invalid"
        if each["severity"] == "warning":
            verdict = "review"
        elif verdict == "valid" and each["suggestion"] is not None:
            verdict = "corrected"
    return verdict
