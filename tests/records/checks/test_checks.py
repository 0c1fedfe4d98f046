"""The whole record: what check_partner, verdict_of and codes promise to the model and the admin."""

import copy
import json
import time

import pytest

from records.checks import FIELDS, RULES_VERSION, Finding, Severity, check_partner, codes, verdict_of

pytestmark = pytest.mark.once

GOOD = {
    "reference": "BP-00001",
    "role": "supplier",
    "name": "LEGO A/S",
    "address": "Aastvej 1",
    "town": "Billund",
    "postal_code": "7190",
    "country": "DK",
    "tax_id": "47458714",
    "phone": "+45 79 50 60 70",
    "email": "Info@lego.com",
    "website": "https://www.lego.com/da-dk",
}


def check(**changes: str) -> tuple[dict[str, str], list[Finding]]:
    return check_partner(GOOD | changes)


def found(**changes: str) -> dict[str, Finding]:
    return {finding["code"]: finding for finding in check(**changes)[1]}


def made(severity: Severity, suggestion: str | None = None) -> Finding:
    return {"field": "name", "code": "x", "severity": severity, "message": "", "value": "", "suggestion": suggestion}


def test_a_good_record_is_valid_and_has_all_its_normal_forms() -> None:
    normalised, findings = check_partner(GOOD)
    assert findings == []
    assert verdict_of(findings) == "valid"
    assert normalised == GOOD | {"phone": "+4579506070"}


def test_the_worst_finding_decides_the_verdict() -> None:
    assert verdict_of([made("info", "x"), made("warning"), made("error")]) == "invalid"
    assert verdict_of([made("info", "x"), made("warning"), made("info")]) == "review"
    assert verdict_of([made("info"), made("info", "x")]) == "corrected"
    assert verdict_of([]) == "valid"


def test_an_info_without_a_suggestion_leaves_a_record_valid() -> None:
    assert verdict_of([made("info")]) == "valid"


def test_a_suggestion_to_empty_a_field_is_a_suggestion() -> None:
    assert verdict_of([made("info", "")]) == "corrected"


def test_the_input_is_never_changed() -> None:
    record = GOOD | {"name": "  ACME   Ltd ", "country": "Deutschland"}
    before = copy.deepcopy(record)
    check_partner(record)
    assert record == before


def test_a_record_without_a_name_is_invalid() -> None:
    assert found(name="")["name.missing"]["severity"] == "error"


def test_a_record_without_a_reference_is_invalid() -> None:
    assert found(reference="")["reference.missing"]["severity"] == "error"


def test_a_record_without_a_country_is_for_review() -> None:
    assert found(country="")["country.missing"]["severity"] == "warning"


def test_missing_keys_and_none_count_as_empty() -> None:
    assert check_partner({"name": None, "country": "DK"})[0] == {"country": "DK"}


def test_the_optional_fields_may_be_empty() -> None:
    empty = dict.fromkeys(("address", "town", "postal_code", "tax_id", "phone", "email", "website"), "")
    normalised, findings = check(**empty)
    assert findings == []
    assert not set(empty) & set(normalised)


@pytest.mark.parametrize("role", ["supplier", "buyer", "customer"])
def test_the_known_roles_are_accepted(role: str) -> None:
    assert check(role=role)[1] == []


def test_a_role_in_capitals_is_put_right() -> None:
    assert found(role="Supplier")["role.format"]["suggestion"] == "supplier"


def test_an_unknown_role_is_for_review() -> None:
    assert found(role="wizard")["role.unknown"]["severity"] == "warning"


def test_every_finding_names_its_field_and_has_a_label_in_codes() -> None:
    wrong = {
        "name": "-",
        "tax_id": "47458715",
        "phone": "1",
        "email": "x",
        "website": "n/a",
        "postal_code": "x",
        "role": "Buyer",
    }
    _, findings = check(**wrong)
    assert {finding["field"]: finding["value"] for finding in findings} == wrong
    for finding in findings:
        assert finding["code"].startswith(finding["field"] + ".")
        assert finding["code"] in codes()
        assert finding["message"].endswith(".")


def test_every_code_has_a_label_for_people_and_belongs_to_a_field() -> None:
    assert all(code.partition(".")[0] in FIELDS and ": " in label for code, label in codes().items())
    assert codes()["tax_id.check_digit"] == "Tax ID: check digit is wrong"
    assert "phone.other_country" in codes()


def test_the_labels_cannot_be_changed_from_outside() -> None:
    codes().clear()
    assert codes()


def test_the_rules_have_a_version() -> None:
    assert RULES_VERSION.startswith("20")


def test_the_findings_come_in_the_order_of_the_fields() -> None:
    fields = [finding["field"] for finding in check(website="x", name="-", country="Utopia")[1]]
    assert fields == sorted(fields, key=FIELDS.index)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text", ["a", "1", "/", "@", " ", "<", "&amp;", "http://", "Ã¼", "+1 ", "\x00", "é", "a@b.de, "]
)
def test_a_hundred_thousand_characters_are_refused_quickly(field: str, text: str) -> None:
    started = time.perf_counter()
    normalised, findings = check(**{field: text * (100_000 // len(text))})
    assert time.perf_counter() - started < 1
    assert [finding["code"] for finding in findings if finding["field"] == field] == [f"{field}.too_long"]
    assert field not in normalised
    assert len(json.dumps(findings)) < 4_000


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "text", ["a", "1", "/", "@", " ", "<", "&amp;", "http://", "Ã¼", "+1 ", "\x00", "a@b.de, ", "0 "]
)
def test_the_longest_value_that_is_read_is_read_quickly(field: str, text: str) -> None:
    from records.checks.text import LIMITS

    value = (text * LIMITS[field])[: LIMITS[field]]
    started = time.perf_counter()
    check(**{field: value})
    assert time.perf_counter() - started < 1


def test_findings_hold_nothing_that_a_json_column_of_postgresql_refuses() -> None:
    stored = json.dumps(check(name="A\x00B\ud800", address="\x00", tax_id="\udfff")[1])
    assert "\\u0000" not in stored
    assert "\\ud800" not in stored
    assert "\\udfff" not in stored
