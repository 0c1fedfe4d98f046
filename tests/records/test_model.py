"""What process() and apply_corrections() do to a record."""

from records.checks import RULES_VERSION
from records.models import YourModel
from tests import factories


def make(**fields):
    return YourModel(**({"reference": "R", "name": "Company", "country": "DE"} | fields))


def test_processing_never_changes_what_was_typed():
    made = make(phone="030 1234567", website="WWW.Example.ORG", country="Deutschland")
    typed = {field: getattr(made, field) for field in YourModel.INPUTS}
    made.process()
    assert {field: getattr(made, field) for field in YourModel.INPUTS} == typed
    assert made.normalised["phone"] == "+49301234567"
    assert made.normalised["country"] == "DE"


def test_processing_says_when_and_by_which_rules():
    made = make()
    made.process()
    assert made.processed
    assert made.processed_at is not None
    assert made.rules_version == RULES_VERSION


def test_processing_twice_gives_the_same():
    made = make(phone="030 1234567", tax_id="nonsense")
    first = str(made.process()), made.normalised, made.issues, made.verdict
    assert (str(made.process()), made.normalised, made.issues, made.verdict) == first


def test_the_outcome_names_the_verdict_and_the_codes():
    made = make(email="nobody")
    outcome = made.process()
    assert (outcome.label, made.verdict) == ("invalid", YourModel.Verdict.INVALID)
    assert "email.no_at" in outcome.detail


def test_a_suggestion_makes_a_record_correctable_in_words_and_keeps_the_value_that_is_stored():
    made = make(country="Deutschland")
    assert made.process().label == made.verdict == "corrected"
    assert made.get_verdict_display() == "correctable"


def test_corrections_copy_the_suggestions():
    made = make(country="Deutschland")
    made.process()
    outcome = made.apply_corrections()
    assert made.country == "DE"
    assert str(outcome) == "corrected: country"


def test_corrections_are_those_of_the_chosen_fields_and_severities():
    made = make(country="Deutschland", email="Anna@EXAMPLE.COM", town="&auml;")
    made.process()
    found = {(issue["field"], issue["severity"]) for issue in made.issues if issue["suggestion"] is not None}
    assert found == {("country", "info"), ("email", "info"), ("town", "info")}
    assert made.apply_corrections(severities=["error", "warning"]).label == "unchanged"
    assert made.apply_corrections(fields=["email"], severities=["info"]).detail == "email"
    assert (made.country, made.email) == ("Deutschland", "Anna@example.com")


def test_a_corrected_record_waits_to_be_processed_and_is_then_valid():
    made = make(country="Deutschland")
    made.process()
    made.apply_corrections()
    assert not made.processed
    made.process()
    assert made.verdict == YourModel.Verdict.VALID


def test_a_suggestion_about_an_edited_value_is_not_applied():
    made = make(country="Deutschland")
    made.process()
    made.country = "France"
    assert made.apply_corrections().label == "unchanged"
    assert made.country == "France"


def test_corrections_are_made_once():
    made = make(country="Deutschland")
    made.process()
    made.apply_corrections()
    assert made.apply_corrections().label == "unchanged"


def test_a_long_name_of_the_real_data_fits_the_database(db):
    longest = "EDF " + "x" * 497
    assert factories.record(name=longest[:500]).pk
