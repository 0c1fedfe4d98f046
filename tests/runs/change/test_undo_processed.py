"""After an undo a record is called processed only where its outcome is of the inputs it has."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.runs.change.standing import Standing
from backoffice.runs.operations import undo
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from records.models import YourModel
from tests.factories import processed, record
from tests.probe.models import Part, Probe
from tests.runs.factories import poke_all, probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)


def say(word):
    return work_off(start(Probe.objects.all(), "say", parameters={"word": word}))


def process():
    return work_off(start(YourModel.objects.all(), "process_model_instance"))


def correct():
    return work_off(start(YourModel.objects.all(), "apply_corrections"))


def undone(run):
    return work_off(undo(run, "somebody"))


def test_of_two_outcomes_of_the_same_inputs_the_first_is_true_again():
    (probe,) = probes(1)
    say("a")
    second = say("b")
    undone(second)
    probe.refresh_from_db()
    assert (probe.result, probe.processed) == ("a", True)


def test_an_old_outcome_is_not_true_of_inputs_that_were_edited_and_processed_meanwhile():
    (probe,) = probes(1)
    say("a")
    second = say("b")
    Probe.objects.update(text="edited", processed=False)
    say("b")
    undone(second)
    probe.refresh_from_db()
    assert (probe.text, probe.result, probe.processed) == ("edited", "a", False)


def test_nor_where_a_plain_call_processed_it():
    (probe,) = probes(1)
    say("a")
    second = say("b")
    Probe.objects.update(text="edited", processed=False)
    find("say")(probe.pk, word="b")
    undone(second)
    probe.refresh_from_db()
    assert (probe.result, probe.processed) == ("a", False)


def test_corrections_taken_back_leave_a_record_processed_as_it_was():
    made = processed(country="Deutschland")
    before = YourModel.objects.values().get()
    undone(correct())
    assert YourModel.objects.values().get() == before
    assert made.processed


def test_undo_and_redo_tell_the_fields_in_one_order():
    processed(website="example.com")
    back = undone(correct())
    told = [next(each.outcomes()).outcome for each in (back, undone(back))]
    assert told == ["restored: website, processed"] * 2


def test_not_where_another_input_was_edited_meanwhile():
    processed(country="Deutschland")
    run = correct()
    YourModel.objects.update(town="Bonn")
    undone(run)
    made = YourModel.objects.get()
    assert (made.country, made.town, made.processed, made.processed_at) == ("Deutschland", "Bonn", False, None)


def test_corrections_of_a_record_processed_since_are_taken_back_and_it_waits_for_processing():
    processed(country="Deutschland")
    run = correct()
    process()
    again = undone(run)
    made = YourModel.objects.get()
    assert (again.conflicts, made.country, made.processed, made.processed_at) == (0, "Deutschland", False, None)
    assert "processed" not in next(again.outcomes()).outcome


def test_a_page_tells_no_time_of_what_was_set_back(admin_client):
    made = processed(country="Deutschland")
    run = correct()
    process()
    undone(run)
    html = admin_client.get(reverse("admin:records_yourmodel_change", args=[made.pk])).content.decode()
    assert "processed at" not in html
    assert " as of 2" not in html


def test_a_record_edited_since_it_was_processed_is_left_alone():
    record(country="Deutschland")
    run = process()
    YourModel.objects.update(town="Bonn", processed=False)
    before = YourModel.objects.values().get()
    assert undone(run).conflicts == 1
    assert YourModel.objects.values().get() == before


def test_the_time_of_a_later_processing_gives_way_to_none_and_not_to_an_older_one():
    record(country="Deutschland")
    process()
    first = YourModel.objects.get().processed_at
    YourModel.objects.update(country="DE", processed=False)
    run = process()
    process()
    undone(run)
    made = YourModel.objects.get()
    assert (made.processed, made.processed_at) == (False, None)
    assert first is not None


def test_no_record_is_processed_at_no_time():
    processed(country="Deutschland")
    corrected, again = correct(), process()
    find("process_model_instance")(YourModel.objects.get().pk)
    undone(again), undone(corrected)
    made = YourModel.objects.get()
    assert (made.country, made.processed, made.processed_at) == ("Deutschland", False, None)


def test_what_it_is_made_of_in_another_row_counts_too():
    (whole,) = probes(1)
    part = Part.objects.create(whole=whole, name="a")
    run = undone(work_off(start(Part.objects.all(), "poke_part")))
    undone(run)
    part.refresh_from_db()
    assert part.processed
    run = undone(run.undone_by.get())
    Probe.objects.update(text="edited")
    undone(run)
    part.refresh_from_db()
    assert not part.processed


def test_a_digest_is_the_same_of_a_row_and_of_a_record():
    record(country="Deutschland")
    for model in (YourModel, Invoice, Part):
        standing, rows = Standing(model), model.objects.all()
        for each in rows:
            (told,) = standing.of_rows({each.pk: ["country"]}, (), {}).values()
            assert told == standing.of_record(each, ["country"]) != standing.of_record(each, [])


def test_an_invoice_undone_is_as_nobody_taxed_it():
    Invoice.objects.create(number="I1", net=Decimal(100))
    undone(work_off(start(Invoice.objects.all(), "tax_invoice")))
    made = Invoice.objects.get()
    assert (made.gross, made.processed, made.processed_at) == (None, False, None)


def statements(run):
    with CaptureQueriesContext(connection) as seen:
        again = work_off(run)
    assert again.succeeded == again.total
    return [each["sql"] for each in seen.captured_queries]


@pytest.mark.parametrize("number", [2, 60])
def test_a_chunk_of_an_undo_asks_as_often_however_many_records_it_has(number, monkeypatch):
    monkeypatch.setattr("backoffice.runs.engine.slicing.window", lambda: 1)
    probes(number)
    run = work_off(poke_all())
    asked = statements(undo(run, "somebody"))
    assert sum("runs_changeset" in each for each in asked) == 2  # what was changed, and what this changes
    assert sum("probe_probe" in each for each in asked) == 3  # read, locked, written
    assert not [each for each in asked if "runs_leftalone" in each]
