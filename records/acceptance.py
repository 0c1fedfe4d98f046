"""Issues that a person has accepted: compared elsewhere, and right as they are. It holds while the value does."""

from collections.abc import Collection, Iterator
from typing import Any

from backoffice.runs.seam import Requested

from .checks import verdict_of
from .checks.findings import shown

OF_A_COUNTRY = frozenset({"postal_code", "tax_id", "phone"})  # what is said of them depends on the record's country


def settle(record: Any) -> None:
    """The verdict is of what is left of its issues. What was accepted of another value is accepted no more."""
    found = {issue["code"] for issue in record.issues}
    if record.accepted:
        held = {code: each for code, each in record.accepted.items() if code in found and _holds(record, code, each)}
        record.accepted = held or None
    accepted = record.accepted or {}
    record.issue_codes = " ".join(sorted(found.difference(accepted)))
    record.verdict = verdict_of(issue for issue in record.issues if issue["code"] not in accepted)


def accept(record: Any, codes: Collection[str], link: str, requested: Requested) -> list[str]:
    """Returns those of the codes that were open, of values as they still are."""
    found = [code for code in _open(record) if code in codes]
    said = {"by": requested.by, "reason": requested.reason.strip(), "at": requested.at.isoformat(), "link": link}
    record.accepted = {**(record.accepted or {}), **{code: {**_about(record, code), **said} for code in found}} or None
    settle(record)
    return found


def withdraw(record: Any, codes: Collection[str]) -> list[str]:
    """Returns those that were accepted; without codes that is all."""
    accepted = record.accepted or {}
    found = sorted(code for code in accepted if not codes or code in codes)
    record.accepted = {code: each for code, each in accepted.items() if code not in found} or None
    settle(record)
    return found


def _open(record: Any) -> Iterator[str]:
    for issue in record.issues:
        is_current = issue["value"] == shown(getattr(record, issue["field"]))
        if is_current and issue["code"] not in (record.accepted or {}):
            yield issue["code"]


def _about(record: Any, code: str) -> dict[str, str]:
    """What must be as it was."""
    field = code.partition(".")[0]
    about = {"value": getattr(record, field)}
    return {**about, "country": record.normalised.get("country", "")} if field in OF_A_COUNTRY else about


def _holds(record: Any, code: str, accepted: dict[str, str]) -> bool:
    return all(accepted.get(name) == value for name, value in _about(record, code).items())
