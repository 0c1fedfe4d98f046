"""The 1,500 real rows of the demo data, judged one by one when the rules were written: look at what changes.

Source of the rows: Tenders Electronic Daily (TED), (c) European Union.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest

from records.checks import FIELDS, check_partner, verdict_of

pytestmark = pytest.mark.once

FOUND = sorted((Path(__file__).parents[3] / "fixtures").glob("demo_records.csv"))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    if not FOUND:
        pytest.skip("fixtures/demo_records.csv is not there")
    with FOUND[0].open(encoding="utf-8", newline="") as file:
        return [{field: row[field] for field in FIELDS} for row in csv.DictReader(file)]


def test_the_real_rows_get_the_verdicts_a_steward_agreed_with(rows: list[dict[str, str]]) -> None:
    verdicts = Counter(verdict_of(check_partner(row)[1]) for row in rows)
    assert verdicts == {"valid": 735, "corrected": 383, "review": 361, "invalid": 21}


def test_every_real_email_is_usable(rows: list[dict[str, str]]) -> None:
    assert [row["email"] for row in rows if row["email"] and "email" not in check_partner(row)[0]] == []


def test_corrected_real_rows_have_nothing_left_to_correct(rows: list[dict[str, str]]) -> None:
    for row in rows:
        normalised, findings = check_partner(row)
        after = row | {each["field"]: each["suggestion"] for each in findings if each["suggestion"] is not None}
        again, left = check_partner(after)
        assert again == normalised
        assert [each for each in left if each["suggestion"] is not None] == []
