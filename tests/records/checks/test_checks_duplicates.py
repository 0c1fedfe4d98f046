"""By what two records are taken for the same partner."""

import pytest

from records.checks import likenesses

pytestmark = pytest.mark.once


def shared(one: tuple[str, ...], other: tuple[str, ...]) -> set[str]:
    mine, theirs = likenesses(*one), likenesses(*other)
    return {name for name, text in mine.items() if text and text == theirs[name]}


def by_name(one: str, other: str, town: str = "") -> set[str]:
    return shared((one, town, "DE", ""), (other, town, "DE", ""))


@pytest.mark.parametrize(
    "name", ["COMPANIA ESPANOLA DE PETROLEOS SA", "Petroleos, Española de Compañia S.A.", "Cia: Compañía"]
)
def test_case_accents_legal_form_and_word_order_do_not_matter(name):
    assert bool(by_name("Compañía Española de Petróleos, S.A.", name)) is not name.startswith("Cia")


@pytest.mark.parametrize(
    ("one", "other"), [("Müller GmbH", "Mueller GmbH"), ("Universität Rostock", "Universitat Rostok")]
)
def test_a_name_spelt_otherwise_is_the_same_only_in_one_town(one, other):
    assert by_name(one, other, "Rostock") == {"spelling"}
    assert not by_name(one, other)
    assert not shared((one, "Rostock", "DE", ""), (other, "Ulm", "DE", ""))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Universität Rostock", "Universität Potsdam"),
        ("Vaasan kaupunki", "Vantaan kaupunki"),
        ("Siemens GmbH", "Siemens Healthineers GmbH"),
    ],
)
def test_neighbours_are_no_candidates(one, other):
    assert not by_name(one, other)


@pytest.mark.parametrize("country", ["Deutschland", "GERMANY", "D e u", "de", " DE "])
def test_the_spelling_of_the_country_hides_nobody(country):
    mine, theirs = ("Siemens AG", "München", country, ""), ("SIEMENS", "Muenchen", "DE", "")
    assert ("name" in shared(mine, theirs)) is (country != "D e u")


@pytest.mark.parametrize(
    ("one", "other"),
    [("DE 136695976", "DE136695976"), ("de-136.695.976", "DE136695976"), ("HRB 12345", "hrb-12345")],
)
def test_a_number_is_compared_as_its_check_writes_it(one, other):
    assert shared(("A", "", "Germany", one), ("B", "", "DE", other)) == {"tax_id"}


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (("Croatia", "HR65952859647"), ("HR", "65952859647"), True),
        (("", "HR65952859647"), ("HR", "65952859647"), True),
        (("GB", "SC123456"), ("SC", "123456"), False),
        (("DE", "136695976"), ("AT", "136695976"), False),
    ],
)
def test_the_countrys_prefix_makes_no_other_number_and_another_country_does(mine, theirs, same):
    assert ("tax_id" in shared(("A", "", *mine), ("B", "", *theirs))) is same


@pytest.mark.parametrize("number", ["", "n/a", "0000", "none", "123", "see invoice", "x" * 500])
def test_what_is_no_number_is_no_likeness(number):
    assert not likenesses("A", "", "DE", number)["tax_id"]


@pytest.mark.parametrize("name", ["", "...", "n/a", "-"])
def test_a_name_of_nothing_is_no_likeness(name):
    assert not any(likenesses(name, "Ulm", "DE", "").values())


def test_very_long_names_are_compared_by_their_beginning():
    assert by_name("a" * 100_000, "a" * 100_000 + "b") == {"name"}


def test_spaced_legal_forms_and_bracketed_roles_do_not_matter():
    assert by_name("Škovacin d. o. o.", "Škovacin d.o.o.") == {"name"}
    assert by_name("SNC VENDASI (Mandataire)", "SNC VENDASI (co-traitant)") == {"name"}
