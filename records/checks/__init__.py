"""The checks of a business partner's record: pure functions, no Django, no network."""

from .duplicates import likenesses
from .findings import FIELDS, RULES_VERSION, SEVERITIES, Finding, Severity, Verdict, codes, verdict_of
from .partner import check_partner

__all__ = [
    "FIELDS",
    "RULES_VERSION",
    "SEVERITIES",
    "Finding",
    "Severity",
    "Verdict",
    "check_partner",
    "codes",
    "likenesses",
    "verdict_of",
]
