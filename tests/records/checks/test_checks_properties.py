"""What holds for every text there is (hypothesis)."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.checks import FIELDS, check_partner, codes, verdict_of
from tests.properties import tries

pytestmark = pytest.mark.once

PIECES = [
    "+49", "+39", "+", "0", "00", "030", "22773", "2132019955", "/", ";", ",", " ", "  ", "ext", "x", "(0)", "tel:",
    "-", ".", "_", "DE", "NO", "MVA", "NO923609016MVA", "923609016", "FI", "01120389", "SE5560125790", "CHE", "BE",
    "0403019261", "NIP", "SIRET", "73282932000074", "14626847100000", "56247T", "FN", "HRB", "HRA", "Köln",
    "Berlin", "J40/372/2002", "RCS", "VAT", "P.IVA", "EL", "XI", "GB", "980780684", "119511515", "10625790", "444",
    "PL", "LT", "303200016", "http:", "http://", "https", "//", "\\", "www.", "lego.com", "LEGO", "münchen.de",
    "xn--", "?", "#", "%20", "javascript:", ":8080", "@", "a", "info", "mailto:", "<", ">", "Info@Lego.com",
    "1.2.3.4", "[", "]", "\u3002", "ß", "İ", "&amp;", "&lt;", "&#0;", "&nbsp;", "&", "Ã¼", "Ãƒ", "Â", "â€œ", "\x00",
    "\u200b", "\ufeff", "\xa0", "\n", "e\u0301", "\ud800", "L-", "D-", "LV-", "2594AN", "48147", "sw1a", "1aa",
    "Deutschland", "UK", "the", "n/a", "None", "xxx", "0000", "²", "٣", "１２",
]  # fmt: skip
TEXT = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789+-/. ", max_size=25),
    st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=5).map(" ".join),
)
CODES = (
    "AT AU BE BG BR CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LT LU LV MC MK MT NL NO PL PT RO SE SI SK US UK"
    " EL RS TR IN XK NA AE JP CA IL MX CN ZA UA BY MD AR CL CO KR"
)
COUNTRY = st.one_of(st.sampled_from(CODES.split()), TEXT)
RECORD = st.fixed_dictionaries({field: COUNTRY if field == "country" else TEXT for field in FIELDS})
often = settings(max_examples=tries(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def corrected(record: dict[str, str]) -> dict[str, str]:
    """The record after all suggestions, in the order in which they are made."""
    result = dict(record)
    for finding in check_partner(record)[1]:
        if finding["suggestion"] is not None:
            result[finding["field"]] = finding["suggestion"]
    return result


@often
@given(RECORD)
def test_no_text_makes_it_raise_and_all_it_says_is_json(record: dict[str, str]) -> None:
    before = dict(record)
    normalised, findings = check_partner(record)
    assert record == before
    assert set(normalised) <= set(FIELDS)
    assert all(normalised.values())
    json.dumps([normalised, findings], ensure_ascii=False).encode()
    assert {finding["code"] for finding in findings} <= set(codes())
    assert verdict_of(findings) in ("invalid", "review", "corrected", "valid")


@often
@given(RECORD)
def test_normalising_twice_gives_the_same(record: dict[str, str]) -> None:
    once = check_partner(record)[0]
    assert check_partner(once)[0] == once


@often
@given(RECORD)
def test_after_all_suggestions_nothing_is_left_to_suggest_and_the_normal_forms_are_the_same(
    record: dict[str, str],
) -> None:
    after = corrected(record)
    normalised, findings = check_partner(after)
    assert [finding for finding in findings if finding["suggestion"] is not None] == []
    assert normalised == check_partner(record)[0]


@often
@given(RECORD)
def test_a_suggestion_never_repeats_the_input_and_agrees_within_a_field(record: dict[str, str]) -> None:
    by_field: dict[str, set[str]] = {}
    for finding in check_partner(record)[1]:
        if finding["suggestion"] is not None:
            assert finding["suggestion"] != record[finding["field"]]
            by_field.setdefault(finding["field"], set()).add(finding["suggestion"])
    assert all(len(suggestions) == 1 for suggestions in by_field.values())


@often
@given(RECORD)
def test_a_correction_makes_no_record_worse(record: dict[str, str]) -> None:
    order = ["valid", "corrected", "review", "invalid"]
    before, after = (verdict_of(check_partner(each)[1]) for each in (record, corrected(record)))
    assert order.index(after) <= order.index(before)


@often
@given(st.emails())
def test_only_the_domain_of_an_email_changes_case(address: str) -> None:
    normal = check_partner({"email": address})[0].get("email")
    if normal is not None and "&" not in address:
        assert normal.rpartition("@")[0] == address.rpartition("@")[0]
        assert normal.casefold() == address.casefold()


@often
@given(RECORD)
def test_no_normal_website_is_anything_but_http(record: dict[str, str]) -> None:
    assert check_partner(record)[0].get("website", "http://").startswith(("http://", "https://"))
