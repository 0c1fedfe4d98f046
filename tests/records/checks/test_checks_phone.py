"""Phone numbers: E.164, and what possible, valid, foreign and several mean."""

import pytest

from records.checks import Finding, check_partner

pytestmark = pytest.mark.once


def check(phone: str, country: str) -> tuple[str | None, list[Finding]]:
    normalised, findings = check_partner(
        {"reference": "1", "name": "A", "role": "buyer", "country": country, "phone": phone}
    )
    return normalised.get("phone"), [finding for finding in findings if finding["field"] == "phone"]


def outcome(phone: str, country: str) -> tuple[str | None, list[tuple[str, str, str | None]]]:
    normal, findings = check(phone, country)
    return normal, [(finding["code"], finding["severity"], finding["suggestion"]) for finding in findings]


@pytest.mark.parametrize(
    "typed", ["+4930227730", "+49 30 22773-0", "+49 (30) 22773 0", "+49.30.227730", "+49 30/227730"]
)
def test_an_international_number_is_valid_however_it_is_punctuated(typed: str) -> None:
    assert outcome(typed, "DE") == ("+4930227730", [])


@pytest.mark.parametrize(
    ("country", "typed", "normal"),
    [
        ("DE", "030 22773-0", "+4930227730"),
        ("DE", "0049 30 227730", "+4930227730"),
        ("DE", "+49 (0)30 227730", "+4930227730"),
        ("FR", "01 40 63 60 00", "+33140636000"),
        ("FR", "Tel.: +33 1 40 63 60 00", "+33140636000"),
        ("IT", "06 67601", "+390667601"),
        ("NL", "+31 0302305995", "+31302305995"),
        ("GR", "+030 2132019955", "+302132019955"),
        ("RO", "+40 0246/213809", "+40246213809"),
        ("UK", "020 7219 3000", "+442072193000"),
        ("US", "(202) 456-1111", "+12024561111"),
    ],
)
def test_a_national_number_is_completed_by_the_record_s_country(country: str, typed: str, normal: str) -> None:
    assert outcome(typed, country) == (normal, [("phone.format", "info", normal)])


def test_a_slash_may_be_part_of_a_number() -> None:
    assert outcome("+49 3634/354201", "DE") == ("+493634354201", [])


def test_an_extension_is_kept() -> None:
    assert check("+1 202-456-1111 ext. 42", "US")[0] == "+12024561111;ext=42"
    assert outcome("+12024561111;ext=42", "US") == ("+12024561111;ext=42", [])


def test_the_leading_zero_of_italian_numbers_is_kept() -> None:
    assert outcome("+39 06 67601", "IT") == ("+390667601", [])


@pytest.mark.parametrize(
    ("country", "typed", "code"),
    [
        ("NO", "+47 225180800", "phone.too_many_digits"),
        ("FR", "+33 14182538136", "phone.too_many_digits"),
        ("FR", "+33 12", "phone.too_few_digits"),
        ("SK", "+421 43429490", "phone.impossible"),
        ("BG", "+379 71687", "phone.unreadable"),
        ("BG", "ask Mary", "phone.unreadable"),
        ("BG", "info@example.com", "phone.unreadable"),
    ],
)
def test_an_impossible_number_is_an_error_and_has_no_normal_form(country: str, typed: str, code: str) -> None:
    assert outcome(typed, country) == (None, [(code, "error", None)])


@pytest.mark.parametrize(
    ("country", "typed"), [("PL", "+48 22565156"), ("CZ", "+420 620644996"), ("NL", "+31 600000000")]
)
def test_a_possible_number_that_nobody_has_is_for_review_only(country: str, typed: str) -> None:
    assert outcome(typed, country)[1] == [("phone.not_valid", "warning", None)]


def test_a_phone_of_another_country_is_for_review_and_the_likely_slip_is_named() -> None:
    normal, findings = check("+49 2103459616", "GR")
    assert normal == "+492103459616"
    assert [(finding["code"], finding["severity"]) for finding in findings] == [("phone.other_country", "warning")]
    assert "+302103459616" in findings[0]["message"]
    assert findings[0]["suggestion"] is None


@pytest.mark.parametrize(
    ("country", "typed"), [("FR", "+596 596506465"), ("GB", "+44 1534 440000"), ("FI", "+358 18 25000")]
)
def test_territories_in_the_country_s_network_are_not_abroad(country: str, typed: str) -> None:
    assert "phone.other_country" not in [finding["code"] for finding in check(typed, country)[1]]


def test_a_satellite_number_belongs_to_no_other_country() -> None:
    assert "phone.other_country" not in [finding["code"] for finding in check("+800 1234 5678", "DE")[1]]


@pytest.mark.parametrize(
    ("country", "typed", "normal"),
    [
        ("BG", "+359 29212069 / +359 29212034", "+35929212069"),
        ("IT", "+39 0916662684/+39 3357391251", "+390916662684"),
        ("ES", "+34 932916221 / 932916240", "+34932916221"),
        ("HR", "+385 22771053/022771633", "+38522771053"),
        ("ES", "+34 91664-8178/8246", "+34916648178"),
        ("DE", "+49 30 227730; +49 30 227731", "+4930227730"),
        ("DE", "030 227730 oder 030 227731", "+4930227730"),
        ("PL", "+48 41367666/+48 413676603", "+48413676603"),  # only the second is in use
    ],
)
def test_of_two_numbers_the_first_in_use_is_taken_and_nothing_is_thrown_away(
    country: str, typed: str, normal: str
) -> None:
    assert outcome(typed, country) == (normal, [("phone.several", "warning", None)])


def test_without_a_country_a_national_number_is_for_review() -> None:
    assert outcome("030 227730", "") == (None, [("phone.no_country", "warning", None)])


def test_without_a_country_an_international_number_is_read() -> None:
    assert outcome("+49 30 227730", "") == ("+4930227730", [])


@pytest.mark.parametrize("typed", ["+372 0000000", "0000000", "-", "n/a", "xxx"])
def test_a_placeholder_is_for_review_with_the_suggestion_to_empty_the_field(typed: str) -> None:
    assert outcome(typed, "EE") == (None, [("phone.placeholder", "warning", "")])
