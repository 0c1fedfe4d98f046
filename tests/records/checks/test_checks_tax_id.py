"""Tax IDs: accepted, wrong, unknown; real numbers that are not in the demo data."""

import pytest

from records.checks import Finding, check_partner

pytestmark = pytest.mark.once


def check(tax_id: str, country: str) -> tuple[str | None, list[Finding]]:
    normalised, findings = check_partner(
        {"reference": "1", "name": "A", "role": "buyer", "country": country, "tax_id": tax_id}
    )
    return normalised.get("tax_id"), [finding for finding in findings if finding["field"] == "tax_id"]


def codes(tax_id: str, country: str) -> list[str]:
    return [finding["code"] for finding in check(tax_id, country)[1]]


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("AT", "ATU33864707"),
        ("BE", "BE0403019261"),
        ("BG", "BG175074752"),
        ("CH", "CHE107787577IVA"),
        ("CZ", "CZ00177041"),
        ("DE", "DE129274202"),
        ("DK", "DK24256790"),
        ("EE", "EE100594102"),
        ("ES", "ESA15075062"),
        ("FI", "FI01120389"),
        ("FR", "FR10632012100"),
        ("GB", "GB980780684"),
        ("GR", "EL094019245"),
        ("HR", "HR27759560625"),
        ("HU", "HU10625790"),
        ("IE", "IE6388047V"),
        ("IT", "IT00905811006"),
        ("LT", "LT119511515"),
        ("LU", "LU20260743"),
        ("LV", "LV40003521600"),
        ("MC", "FR53000004605"),
        ("MT", "MT11679112"),
        ("NL", "NL004495445B01"),
        ("NO", "NO923609016MVA"),
        ("PL", "PL7740001454"),
        ("PT", "PT500697256"),
        ("RO", "RO18547290"),
        ("SE", "SE556016068001"),
        ("SI", "SI50223054"),
        ("SK", "SK2022749619"),
    ],
)
def test_a_vat_number_with_its_prefix_is_valid_as_it_is(country: str, number: str) -> None:
    assert check(number, country) == (number, [])


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("AT", "FN 56247t"),
        ("CH", "CHE116281710"),
        ("CZ", "25123891"),
        ("DE", "Aachen HRA 11223"),
        ("DE", "2893081508152"),
        ("DK", "47458714"),
        ("ES", "A28015865"),
        ("FI", "0112038-9"),
        ("FR", "632012100"),
        ("FR", "73282932000074"),
        ("FR", "35600000049837"),
        ("GR", "094019245"),
        ("HU", "10625790444"),
        ("IT", "00159560366"),
        ("NO", "923609016"),
        ("PL", "192598184"),
        ("PT", "500697256"),
        ("RO", "J40/372/2002"),
        ("RS", "101134702"),
        ("SE", "5560125790"),
        ("SK", "31333532"),
        ("US", "911144442"),
    ],
)
def test_a_national_number_is_valid_without_a_prefix(country: str, number: str) -> None:
    assert check(number, country) == (number, [])


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("NO 923 609 016 MVA", "NO923609016MVA"),
        ("923609016MVA", "NO923609016MVA"),
        ("923 609 016", "923609016"),
        ("NO923609016", "923609016"),
    ],
)
def test_norwegian_numbers_come_with_and_without_mva(typed: str, normal: str) -> None:
    number, findings = check(typed, "NO")
    assert number == normal
    assert [(finding["severity"], finding["suggestion"]) for finding in findings] == [("info", normal)]


@pytest.mark.parametrize(
    ("country", "typed", "normal"),
    [
        ("AT", "ATU 338 64 707", "ATU33864707"),
        ("AT", "56247t", "FN 56247t"),
        ("BE", "0403.019.261", "0403019261"),
        ("BE", "TVA BE 403.019.261", "BE0403019261"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("DE", "129 274 202", "DE129274202"),
        ("DE", "USt-IdNr.: DE129274202", "DE129274202"),
        ("ES", "A-28015865", "A28015865"),
        ("FI", "01120389", "0112038-9"),
        ("FR", "SIRET : 732 829 320 00074", "73282932000074"),
        ("GB", "980 7806 84", "GB980780684"),
        ("GB", "UK980780684", "GB980780684"),
        ("GR", "GR094019245", "EL094019245"),
        ("GR", "ΑΦΜ 094019245", "094019245"),
        ("HR", "OIB 27759560625", "27759560625"),
        ("HU", "10625790-4-44", "10625790444"),
        ("IT", "P.IVA 00159560366", "00159560366"),
        ("IT", "p. IVA00159560366", "00159560366"),
        ("PL", "NIP 774-00-01-454", "7740001454"),
        ("PL", "REGON: 192598184", "192598184"),
        ("SE", "SE5560125790", "5560125790"),
        ("SI", "si 50223054", "SI50223054"),
    ],
)
def test_spelling_is_put_right(country: str, typed: str, normal: str) -> None:
    number, findings = check(typed, country)
    assert number == normal
    assert [(finding["severity"], finding["suggestion"]) for finding in findings] == [("info", normal)]


def test_a_polish_regon_filled_up_to_a_local_unit_is_the_organisation_s_own() -> None:
    assert check("14626847100000", "PL")[0] == "146268471"


def test_northern_irish_numbers_keep_their_xi() -> None:
    assert check("XI980780684", "GB") == ("XI980780684", [])


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("DE", "DE129274203"),
        ("DK", "47458715"),
        ("ES", "A28015866"),
        ("FI", "0112038-8"),
        ("FR", "632012101"),
        ("FR", "73282932000075"),
        ("HR", "27759560626"),
        ("IT", "00159560367"),
        ("NL", "NL004495446B01"),
        ("NO", "923609017"),
        ("NO", "NO923609017MVA"),
        ("PL", "NIP 774-00-01-455"),
        ("GB", "XI980780685"),
    ],
)
def test_a_failed_check_digit_is_an_error_without_a_suggestion(country: str, number: str) -> None:
    findings = check(number, country)[1]
    assert [(finding["code"], finding["severity"]) for finding in findings] == [("tax_id.check_digit", "error")]
    assert findings[0]["suggestion"] is None


@pytest.mark.parametrize(
    ("country", "number"), [("DE", "DE93406001"), ("NL", "NL800097476B0"), ("FR", "SIRET 213400906000011")]
)
def test_a_number_that_claims_a_kind_and_cannot_have_its_form_is_an_error(country: str, number: str) -> None:
    assert codes(number, country) == ["tax_id.form"]


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("NL", "24106171"),  # KvK, no check digit
        ("NL", "KVK 81122373"),
        ("GB", "SC493764"),  # Companies House, no check digit
        ("GB", "00445790"),
        ("LT", "188787855"),  # company code, not in stdnum
        ("PL", "0000192239"),  # KRS, ten digits like a NIP
        ("HU", "AK15623"),
        ("HU", "EKRSZ_35969877"),
        ("MT", "C51823"),
        ("DE", "HRB 11200"),  # the court is missing
        ("DE", "DE401"),  # a region
        ("DE", "123456789"),  # could be anything, claims nothing
        ("RO", "30/26.06.2018"),  # a decision and its date, not a CUI of ten digits
        ("BR", "7"),
        ("ZZ", "12345678"),
        ("", "12345678"),
    ],
)
def test_a_number_no_library_knows_is_for_review_and_stays_as_typed(country: str, number: str) -> None:
    normal, findings = check(number, country)
    assert normal == number
    assert [(finding["code"], finding["severity"]) for finding in findings] == [("tax_id.unrecognised", "warning")]


@pytest.mark.parametrize("text", ["PL POLSKA", "Romania", "direction de la commande publique", "Δ.Ε.Υ.Α.Ι."])
def test_a_text_without_a_number_is_for_review(text: str) -> None:
    assert codes(text, "RO") == ["tax_id.no_number"]


@pytest.mark.parametrize("text", ["N/A", "n/a", "-", "---", "xxx", "none", "000000", ".", "brak", "néant"])
def test_a_placeholder_is_for_review_with_the_suggestion_to_empty_the_field(text: str) -> None:
    normal, findings = check(text, "FR")
    assert normal is None
    assert [(finding["code"], finding["suggestion"]) for finding in findings] == [("tax_id.placeholder", "")]


def test_a_vat_number_of_another_country_is_for_review() -> None:
    normal, findings = check("PL 7740001454", "DE")
    assert normal == "PL7740001454"
    assert [(finding["code"], finding["severity"]) for finding in findings] == [("tax_id.other_country", "warning")]


def test_a_vat_number_is_read_without_a_country_too() -> None:
    assert check("DE129274202", "") == ("DE129274202", [])


def test_two_different_numbers_in_one_field_are_for_review() -> None:
    normal, findings = check("Codice Fiscale 00787010586 - P.Iva 00931311005", "IT")
    assert normal == "00787010586"
    assert [(finding["code"], finding["suggestion"]) for finding in findings] == [("tax_id.several", None)]


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("DE", "DE 246571598Postanschrift", "DE246571598"),
        ("BE", "0308.357.555_35", "0308357555"),
        ("FR", "rcs Nanterre b°64202088700419", "64202088700419"),
    ],
)
def test_a_number_inside_other_text_is_found_but_not_suggested_as_text_would_be_lost(
    country: str, text: str, number: str
) -> None:
    normal, findings = check(text, country)
    assert normal == number
    assert [(finding["code"], finding["suggestion"]) for finding in findings] == [("tax_id.extra_text", None)]


@pytest.mark.parametrize("text", ["１２３４５６７８", "٤٧٤٥٨٧١٤", "47458714\n", "⁴7458714"])
def test_digits_of_other_scripts_do_no_harm(text: str) -> None:
    check(text, "DK")
