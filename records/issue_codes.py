"""The codes of issues: every one there is, and those that records have, none of which is asked record by record."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.utils.text import capfirst

from .checks import codes
from .models import YourModel

Groups = list[tuple[str, list[tuple[str, str]]]]
LOOKED_AT = 1_000  # records with accepted issues


def every() -> Groups:
    """The checks' own labels, "Phone: spelling", under a heading per field."""
    return of(codes())


def of(wanted: Collection[str]) -> Groups:
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, label in codes().items():
        if code in wanted:
            groups.setdefault(label.partition(": ")[0], []).append((code, label))
    return list(groups.items())


def headed(groups: Groups) -> Groups:
    """For a page that shows the headings: "Spelling" under "Phone"."""
    return [(field, [(code, _headed(label.partition(": ")[2])) for code, label in each]) for field, each in groups]


def _headed(text: str) -> str:
    return text if "://" in text else capfirst(text)


def open_ones() -> Groups:
    with connection.cursor() as cursor:
        cursor.execute(values_of("issue_codes", "value IS NOT NULL"))
        return of(_in_all(combination for (combination,) in cursor.fetchall()))


def open_in(records: Any) -> Groups:
    """Of a selection."""
    checked = records.filter(processed=True).order_by()
    return of(_in_all(checked.values_list("issue_codes", flat=True).distinct()))


def accepted_in(records: Any) -> Groups:
    rows = records.filter(accepted__isnull=False).order_by().values_list("accepted", flat=True)
    return of({code for accepted in rows[:LOOKED_AT] for code in accepted or ()})


def _in_all(combinations: Iterable[str]) -> set[str]:
    return {code for combination in combinations for code in combination.split()}


def accepted_ones() -> Groups:
    rows = YourModel._default_manager.filter(accepted__isnull=False).values_list("accepted", flat=True)
    return of({code for accepted in rows.order_by("reference")[:LOOKED_AT] for code in accepted or ()})


def values_of(column: str, condition: str) -> str:
    """SQL for the values of an indexed column, "" left out: DISTINCT reads a million entries, this one a value."""
    table = connection.ops.quote_name(YourModel._meta.db_table)
    following = f"SELECT MIN({column}) FROM {table} WHERE {column} >"  # noqa: S608 - our own table
    return (
        f"WITH RECURSIVE each(value) AS ({following} '' UNION ALL"  # noqa: S608
        f" SELECT ({following} each.value) FROM each WHERE each.value IS NOT NULL)"
        f" SELECT value FROM each WHERE {condition}"
    )
