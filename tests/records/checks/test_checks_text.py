"""Names, towns, countries and postal codes, and what holds for any text."""

import pytest

from records.checks import Finding, check_partner
from records.checks.country import iso_code

pytestmark = pytest.mark.once


def check(**fields: str) -> tuple[dict[str, str], dict[str, Finding]]:
    record = {"reference": "1", "name": "A", "role": "buyer", "country": "DE"} | fields
    normalised, findings = check_partner(record)
    return normalised, {finding["code"]: finding for finding in findings}


def test_spaces_and_line_breaks_collapse() -> None:
    normalised, findings = check(name=" Lamm  &\tSons\u00a0Ltd \r\n")
    assert normalised["name"] == "Lamm & Sons Ltd"
    assert findings["name.spaces"]["suggestion"] == "Lamm & Sons Ltd"


@pytest.mark.parametrize(
    "name", ["ACME s.r.o.", "acme GmbH & Co. KG", "ACME S.p.A.", "Zakład Sp. z o.o.", "'S-HERTOGENBOSCH B.V."]
)
def test_case_and_legal_form_of_a_name_are_left_alone(name: str) -> None:
    normalised, findings = check(name=name)
    assert normalised["name"] == name
    assert findings == {}


def test_text_is_composed_to_nfc() -> None:
    assert check(name="Mu\u0308nchen")[0]["name"] == "München"


def test_invisible_characters_are_removed() -> None:
    normalised, findings = check(name="\ufeffAC\u200bME\x00 Ltd")
    assert normalised["name"] == "ACME Ltd"
    assert findings["name.control_characters"]["suggestion"] == "ACME Ltd"


def test_damaged_letters_that_make_the_way_back_are_repaired_for_review() -> None:
    for name in ("Münchner Straße", "Łódź", "Αθήνα", "Москва", "Café „Zentral”", "L’Œuvre"):
        once = name.encode().decode("latin-1")
        twice = once.encode().decode("latin-1")
        for damaged in (once, twice):
            normalised, findings = check(name=damaged)
            assert normalised["name"] == name
            assert findings["name.mojibake"]["severity"] == "warning"
            assert findings["name.mojibake"]["suggestion"] == name


def test_letters_damaged_by_windows_1252_are_repaired_too() -> None:
    assert check(name="MÃ¼nchner StraÃŸe â€žMitteâ€œ")[0]["name"] == "Münchner Straße „Mitte“"


def test_damaged_letters_that_do_not_are_reported_without_a_suggestion() -> None:
    normalised, findings = check(name="MÃ¼nchner Café")
    assert normalised["name"] == "MÃ¼nchner Café"
    assert findings["name.encoding"]["suggestion"] is None
    assert "name.encoding" in check(name="M\ufffdnchen")[1]


@pytest.mark.parametrize(
    "name", ["JOÃO & IRMÃOS", "«Café »", "CAFÉ”", "Âge d’or", "Île-de-France", "Smørrebrød Ærø", "Ångström"]
)
def test_letters_that_only_look_damaged_are_left_alone(name: str) -> None:
    normalised, findings = check(name=name)
    assert normalised["name"] == name
    assert findings == {}


def test_html_is_for_review() -> None:
    normalised, findings = check(name="<script>alert(1)</script> Ltd")
    assert findings["name.markup"]["severity"] == "warning"
    assert normalised["name"] == "<script>alert(1)</script> Ltd"


def test_html_entities_are_written_out() -> None:
    assert check(name="Lamm &amp; Sons")[1]["name.entities"]["suggestion"] == "Lamm & Sons"
    assert check(name="Lamm &amp;amp; Sons")[0]["name"] == "Lamm & Sons"


def test_entities_are_never_turned_into_html() -> None:
    assert check(name="&lt;script&gt;")[0]["name"] == "&lt;script&gt;"


@pytest.mark.parametrize("name", ["-", "n/a", "XXX", "none", "0000", "???"])
def test_a_placeholder_for_a_name_is_an_error(name: str) -> None:
    normalised, findings = check(name=name)
    assert findings["name.placeholder"]["severity"] == "error"
    assert "name" not in normalised


@pytest.mark.parametrize("name", ["NAV", "Nil", "No", "Brak"])
def test_words_that_are_a_placeholder_for_a_number_may_be_a_name(name: str) -> None:
    assert check(name=name)[1] == {}


def test_a_name_without_letters_is_for_review() -> None:
    assert "name.no_letters" in check(name="12345")[1]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        ("Deutschland", "DE"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("Great Britain", "GB"),
        ("Scotland", "GB"),
        ("EL", "GR"),
        ("Ελλάδα", "GR"),
        ("The Netherlands", "NL"),
        ("Holland", "NL"),
        ("Nederland", "NL"),
        ("Österreich", "AT"),
        ("OESTERREICH", "AT"),
        ("Česká republika", "CZ"),
        ("Czech Republic", "CZ"),
        ("България", "BG"),
        ("Magyarország", "HU"),
        ("Côte d'Ivoire", "CI"),
        ("Moldova", "MD"),
        ("North Macedonia", "MK"),
        ("Kosovo", "XK"),
        ("1A", "XK"),
        ("United States of America", "US"),
        ("U.S.A.", "US"),
        ("South Korea", "KR"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
    ],
)
def test_a_country_is_understood_and_its_iso_code_suggested(typed: str, code: str) -> None:
    normalised, findings = check(country=typed)
    assert normalised["country"] == code
    assert findings["country.format"]["suggestion"] == code


def test_niger_is_not_nigeria_and_guinea_is_not_one_of_the_others() -> None:
    expected = {
        "Niger": "NE",
        "Nigeria": "NG",
        "Guinea": "GN",
        "Dominica": "DM",
        "Ireland": "IE",
        "Georgia": "GE",
        "Samoa": "WS",
    }
    assert {name: iso_code(name) for name in expected} == expected


def test_na_is_namibia() -> None:
    assert check(country="NA")[0]["country"] == "NA"


@pytest.mark.parametrize("typed", ["Nigeri", "Utopia", "ZZ", "Virgin Islands", "D", "Berlin"])
def test_what_is_not_exactly_a_country_is_for_review(typed: str) -> None:
    normalised, findings = check(country=typed)
    assert findings["country.unknown"]["severity"] == "warning"
    assert "country" not in normalised


def test_every_iso_country_is_known_by_its_codes_and_names() -> None:
    import pycountry

    for country in pycountry.countries:
        assert {iso_code(country.alpha_2), iso_code(country.alpha_3), iso_code(country.name)} == {country.alpha_2}


@pytest.mark.parametrize(
    ("country", "typed", "normal"),
    [
        ("NL", "2594AN", "2594 AN"),
        ("NL", "2594 an", "2594 AN"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("GB", "DE12FS", "DE1 2FS"),
        ("SE", "96150", "961 50"),
        ("SE", "S-961 50", "961 50"),
        ("CZ", "14200", "142 00"),
        ("SK", "84102", "841 02"),
        ("GR", "12242", "122 42"),
        ("PL", "00950", "00-950"),
        ("PL", "PL-00-950", "00-950"),
        ("PT", "1100148", "1100-148"),
        ("LV", "1050", "LV-1050"),
        ("LV", "LV- 1007", "LV-1007"),
        ("LT", "03150", "LT-03150"),
        ("DE", "D-48147", "48147"),
        ("DE", "890 79", "89079"),
        ("FR", "F-75001", "75001"),
        ("FI", "FI-00100", "00100"),
        ("LU", "L-1018", "1018"),
        ("MT", "VLT1117", "VLT 1117"),
        ("IE", "d02x285", "D02 X285"),
        ("US", "20500 0003", "20500-0003"),
        ("CA", "K1A0B1", "K1A 0B1"),
    ],
)
def test_a_postal_code_is_written_as_its_country_does(country: str, typed: str, normal: str) -> None:
    normalised, findings = check(country=country, postal_code=typed)
    assert normalised["postal_code"] == normal
    assert findings["postal_code.format"]["suggestion"] == normal
    assert check(country=country, postal_code=normal)[1] == {}


@pytest.mark.parametrize(
    ("country", "typed"),
    [("GB", "EC4V SER"), ("NL", "2300"), ("PL", "00-4478"), ("FI", "PL 604"), ("IE", "Dublin"), ("DE", "F-75001")],
)
def test_a_postal_code_of_the_wrong_form_is_for_review_and_stays_as_typed(country: str, typed: str) -> None:
    normalised, findings = check(country=country, postal_code=typed)
    assert findings["postal_code.form"]["severity"] == "warning"
    assert findings["postal_code.form"]["suggestion"] is None
    assert normalised["postal_code"] == typed


def test_a_zero_that_a_spreadsheet_took_is_named_but_not_guessed() -> None:
    assert "zero" in check(country="ES", postal_code="8040")[1]["postal_code.form"]["message"]


def test_postal_codes_of_countries_without_a_table_are_not_judged() -> None:
    assert check(country="AE", postal_code="P.O. Box 1")[1] == {}


def test_every_example_in_the_table_has_the_form_it_is_an_example_of() -> None:
    from records.checks.postal import _FORMS, normalise

    assert {code: normalise(example, code) for code, (_, _, example) in _FORMS.items()} == {
        code: example for code, (_, _, example) in _FORMS.items()
    }
