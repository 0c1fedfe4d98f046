"""What a person accepts of a record's issues, and how long it holds."""

import datetime

import pytest

from backoffice.runs.seam import Requested
from records.checks import codes
from records.models import YourModel
from tests import factories

ANNA = Requested("anna", "Seen in the register", datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC))
UNKNOWN = "tax_id.unrecognised"


def make(**fields):
    made = YourModel(**({"reference": "R", "name": "Company", "country": "NL", "tax_id": "12345678"} | fields))
    made.process()
    return made


def accepted(**fields):
    made = make(**fields)
    made.accept_issues([UNKNOWN], "https://example.com/1", ANNA)
    return made


def test_an_accepted_issue_is_settled_and_the_verdict_says_so():
    made = make()
    assert (made.verdict, made.issue_codes) == ("review", UNKNOWN)
    outcome = made.accept_issues([UNKNOWN], "https://example.com/1", ANNA)
    assert str(outcome) == "valid: 1 accepted"
    assert (made.verdict, made.issue_codes, made.open_issues) == ("valid", "", [])
    assert [issue["code"] for issue in made.issues] == [UNKNOWN]


def test_who_why_when_and_the_evidence_are_kept():
    assert accepted().accepted == {
        UNKNOWN: {
            "value": "12345678",
            "country": "NL",
            "by": "anna",
            "reason": "Seen in the register",
            "at": "2026-11-27T00:00:00+00:00",
            "link": "https://example.com/1",
        }
    }


def test_it_holds_while_the_value_does_and_processing_says_the_same_each_time():
    made = accepted()
    for _ in range(2):
        assert str(made.process()) == "valid: 1 accepted"
    made.town = "Utrecht"
    assert str(made.process()) == "valid: 1 accepted"


@pytest.mark.parametrize("change", [{"tax_id": "12345679"}, {"country": "GB"}])
def test_a_changed_value_ends_it_and_so_does_another_country_of_a_number(change):
    made = accepted()
    for field, value in change.items():
        setattr(made, field, value)
    assert made.process().label == "review"
    assert made.accepted is None
    made.tax_id, made.country = "12345678", "NL"
    assert made.process().label == "review", "back again it is not what somebody accepted"


def test_another_spelling_of_the_country_is_the_same_country():
    made = accepted(country="Nederland")
    made.country = "NL"
    assert made.process().label == "valid"


def test_what_is_no_longer_found_is_accepted_no_more():
    made = accepted()
    made.tax_id = "NL004495445B01"
    assert made.process().label == "valid"
    assert made.accepted is None


def test_other_issues_stay_open():
    made = make(email="nobody", phone="030 1")
    outcome = made.accept_issues([UNKNOWN], "", ANNA)
    assert outcome.label == "invalid"
    assert UNKNOWN not in made.issue_codes
    assert "email.no_at" in made.issue_codes


def test_an_issue_that_is_not_there_or_of_a_value_edited_since_is_not_accepted():
    made = make()
    assert made.accept_issues(["email.no_at"], "", ANNA).label == "unchanged"
    made.tax_id = "87654321"
    assert made.accept_issues([UNKNOWN], "", ANNA).label == "unchanged"
    assert made.accepted is None


def test_accepting_again_keeps_the_first_reason():
    made = accepted()
    assert made.accept_issues([UNKNOWN], "", ANNA._replace(reason="other")).label == "unchanged"
    assert made.accepted[UNKNOWN]["reason"] == "Seen in the register"


def test_withdrawn_it_is_open_again():
    made = accepted()
    assert str(made.withdraw_acceptance([UNKNOWN])) == f"review: {UNKNOWN}"
    assert (made.accepted, made.issue_codes) == (None, UNKNOWN)
    assert made.withdraw_acceptance([]).label == "unchanged"


def test_without_codes_all_are_withdrawn():
    made = make(email="nobody")
    made.accept_issues([UNKNOWN, "email.no_at"], "", ANNA)
    assert made.verdict == "valid"
    made.withdraw_acceptance([])
    assert made.issue_codes == f"email.no_at {UNKNOWN}"


def test_a_suggestion_about_what_is_accepted_is_not_applied():
    made = make(tax_id="", website="www.example.com")
    assert made.issue_codes == "website.no_scheme"
    made.accept_issues(["website.no_scheme"], "", ANNA)
    assert made.verdict == "valid"
    assert made.apply_corrections().label == "unchanged"
    assert made.website == "www.example.com"


@pytest.mark.parametrize("asked", [ANNA._replace(by=""), ANNA._replace(reason=" ")])
def test_nobody_and_no_reason_accept_nothing(asked):
    made = make()
    with pytest.raises(ValueError, match="accepted by a person with a reason"):
        made.accept_issues([UNKNOWN], "", asked)


ODD = [
    {"website": "WWW.Example.ORG"}, {"email": "Anna@EXAMPLE.COM"}, {"country": "Atlantis"}, {"phone": "030 1"},
    {"name": "n/a"}, {"postal_code": "??"}, {"role": "Buyer"}, {"name": "x" * 400 + "<b>"}, {"town": " K&ouml;ln "},
]  # fmt: skip


@pytest.mark.parametrize("fields", ODD, ids=str)
def test_every_issue_can_be_accepted_and_stays_so_until_it_is_withdrawn(fields):
    made = make(**fields)
    found = made.issue_codes
    assert found
    made.accept_issues(list(codes()), "", ANNA)
    assert (made.verdict, made.issue_codes) == ("valid", "")
    made.process()
    assert (made.verdict, made.issue_codes) == ("valid", "")
    made.withdraw_acceptance(found.split())
    assert made.issue_codes == found


def test_it_is_read_back_from_the_database_as_it_was_written(db):
    made = factories.processed(tax_id="12345678", country="NL")
    made.accept_issues([UNKNOWN], "", ANNA)
    made.save()
    again = YourModel.objects.get(pk=made.pk)
    assert again.process().label == "valid"
