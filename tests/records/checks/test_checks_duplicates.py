"""Near-duplicates offered to a person."""

import pytest

from records.checks import duplicate_candidates

pytestmark = pytest.mark.once

OTHERS = [
    (1, "Siemens Aktiengesellschaft", "München"),
    (2, "SIEMENS GMBH", "Muenchen"),
    (3, "Siemens Healthineers GmbH", "Erlangen"),
    (4, "Universität Rostock", "Rostock"),
    (5, "Universität Potsdam", "Potsdam"),
    (6, "Compañía Española de Petróleos, S.A.", "Madrid"),
    (7, "", ""),
]


def ids(name: str, town: str = "") -> list[int]:
    return [candidate.id for candidate in duplicate_candidates(name, town, OTHERS)]


@pytest.mark.parametrize(
    "name", ["COMPANIA ESPANOLA DE PETROLEOS SA", "Petroleos Espanola de Compania", "Compañía Española de Petroleo"]
)
def test_case_accents_legal_form_and_word_order_do_not_matter(name: str) -> None:
    assert ids(name, "Madrid") == [6]


def test_the_best_candidate_comes_first() -> None:
    assert ids("Siemens", "München")[0] == 2


def test_a_shared_word_is_no_duplicate() -> None:
    assert ids("Universität Bremen", "Bremen") == []


def test_the_same_town_counts_and_another_town_counts_against() -> None:
    here = duplicate_candidates("Universitat Rostok", "Rostock", OTHERS)[0]
    elsewhere = duplicate_candidates("Universitat Rostok", "Potsdam", OTHERS)[0]
    assert here.score > elsewhere.score


def test_a_name_of_nothing_has_no_duplicates() -> None:
    assert ids("") == ids("...") == []


def test_no_more_than_the_limit_are_returned() -> None:
    many = [(number, "Acme Ltd", "Leeds") for number in range(50)]
    assert len(duplicate_candidates("ACME Limited", "Leeds", many, limit=7)) == 7


def test_very_long_names_are_compared_by_their_beginning() -> None:
    assert duplicate_candidates("a" * 100_000, "b" * 100_000, [(1, "a" * 100_000, "c" * 100_000)])


def test_spaced_legal_forms_and_bracketed_roles_do_not_matter() -> None:
    others = [(1, "Škovacin d. o. o.", "Rogoznica"), (2, "SNC VENDASI (co-traitant)", "BIGUGLIA")]
    assert [found.id for found in duplicate_candidates("Škovacin d.o.o.", "Rogoznica", others)] == [1]
    assert [found.id for found in duplicate_candidates("SNC VENDASI (Mandataire)", "Biguglia", others)] == [2]
