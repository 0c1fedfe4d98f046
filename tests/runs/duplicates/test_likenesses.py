"""Likenesses stay true whoever writes a record, and cost nothing where nobody compares."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs.duplicates import candidates, look_over
from backoffice.runs.models import Apart, Likeness, LookedOver
from backoffice.runs.operations import undo
from backoffice.runs.pages import record_log
from backoffice.runs.pages.deleting import before_deletion
from backoffice.runs.seam import compare, start
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.exchange import importing
from tests.exchange.made_files import csv_of, line
from tests.probe.models import Probe
from tests.runs.duplicates.conftest import invoice, set_apart
from tests.second.models import Invoice
from tests.second.tasks import edit_invoice

pytestmark = pytest.mark.django_db(transaction=True)  # who has a candidate is marked after the commit


def found(record: Any) -> list[int]:
    return candidates.of(type(record), [record.pk]).get(record.pk, [])


def filtered(model: Any) -> set[int]:
    return set(model.objects.filter(pk__in=candidates.with_candidates(model)).values_list("pk", flat=True))


def test_two_records_of_one_normal_form_are_each_others_candidates(pair):
    third = invoice("2026/18")
    assert [found(each) for each in (*pair, third)] == [[pair[1].pk], [pair[0].pk], []]
    assert filtered(Invoice) == {each.pk for each in pair}


def edit(record):
    record.number = "another"
    record.save()


def edit_one_field(record):
    record.number = "another"
    record.save(update_fields=["number"])


def edit_in_a_form(record):
    record.number = "another"
    record_log.save(None, record)


def delete(record):
    record.delete()


def delete_in_the_admin(record):
    rows = Invoice.objects.filter(pk=record.pk)
    with transaction.atomic():
        before_deletion(None, rows)
        rows.delete()


def delete_in_bulk_and_tell(record):
    Invoice.objects.filter(pk=record.pk).delete()
    compare(Invoice, [record.pk])


def empty(record):
    record.number = ""
    record.save()


DOORS = [edit, edit_one_field, edit_in_a_form, delete, delete_in_the_admin, delete_in_bulk_and_tell, empty]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_what_is_no_longer_alike_is_nobodys_candidate(pair, door):
    door(pair[0])
    assert not found(pair[1])
    assert not filtered(Invoice)


def test_a_write_of_other_fields_asks_nothing_more(pair, django_assert_num_queries):
    pair[0].net = 2
    with django_assert_num_queries(1):
        pair[0].save(update_fields=["net"])


def test_a_model_that_compares_nothing_pays_nothing(django_assert_num_queries):
    with django_assert_num_queries(1):
        Probe.objects.create(text="a")
    assert not Likeness.objects.exists()


def test_a_record_task_keeps_them_for_the_fields_it_writes():
    one = factories.processed(name="MÃ¼ller GmbH", tax_id="", town="Ulm")
    other = factories.record(name="Mueller", tax_id="", town="Ulm")
    assert not found(one)
    work_off(start(YourModel.objects.filter(pk=one.pk), "apply_corrections"))
    assert found(one) == [other.pk]


def bulk_edit(record):
    return work_off(start(Invoice.objects.filter(pk=record.pk), "edit_invoice", parameters={"number": "another"}))


def plain_call(record):
    edit_invoice(record.pk, number="another")


@pytest.mark.parametrize("door", [bulk_edit, plain_call], ids=lambda door: door.__name__)
def test_a_task_that_people_edit_by_keeps_them(pair, door):
    door(pair[0])
    assert not found(pair[1])
    assert not filtered(Invoice)


def test_what_is_undone_is_alike_again(pair):
    run = bulk_edit(pair[0])
    assert not found(pair[1])
    assert work_off(undo(run, "somebody")).succeeded == 1
    assert found(pair[1]) == [pair[0].pk]
    assert filtered(Invoice) == {each.pk for each in pair}


def test_an_import_keeps_them_of_what_it_adds_and_of_what_it_changes(client):
    client.force_login(factories.member("Operator"))
    one = factories.record(reference="R-1", name="Old name", country="DE", tax_id="")
    other = factories.record(reference="R-2", name="Shared Ltd", country="DE", tax_id="")
    rows = (line(reference="R-1", name="SHARED", country="Germany", tax_id=""),)
    importing.confirm(client, importing.upload(client, csv_of(*rows, line(reference="R-3", name="Shared", tax_id=""))))
    third = YourModel.objects.get(reference="R-3")
    assert sorted(found(other)) == [one.pk, third.pk]
    assert filtered(YourModel) == {one.pk, other.pk, third.pk}


def test_processing_asks_nothing_of_them():
    one = factories.record()
    run = start(YourModel.objects.filter(pk=one.pk), "process_model_instance")
    with CaptureQueriesContext(connection) as asked:
        assert work_off(run).succeeded == 1
    assert not [each["sql"] for each in asked if "runs_likeness" in each["sql"]]


# --- decisions


def test_a_decision_takes_both_from_each_other_until_a_compared_value_changes(pair):
    third = invoice("2026-17")
    set_apart(*pair)
    assert found(pair[0]) == found(pair[1]) == [third.pk]
    assert filtered(Invoice) == {each.pk for each in (*pair, third)}
    pair[0].net = 5
    pair[0].number = "2026.17"  # the same, in normal form
    pair[0].save()
    assert Apart.objects.exists()
    pair[0].number = "2026/19"
    pair[0].save()
    pair[0].number = "2026/17"
    pair[0].save()
    assert not Apart.objects.exists()
    assert found(pair[1]) == [pair[0].pk, third.pk]
    ended = Activity.objects.filter(verb="record.apart_ended")
    assert {entry.object_id for entry in ended} == {str(each.pk) for each in pair}
    assert {entry.actor for entry in ended} == {"system"}


def test_the_filter_lets_go_of_records_of_which_all_pairs_are_settled(pair):
    set_apart(*pair)
    assert not filtered(Invoice)


# --- the look over all


def test_what_is_there_already_is_compared_in_slices(pair, monkeypatch):
    monkeypatch.setattr(look_over, "AT_ONCE", 1)
    Likeness.objects.all().delete()
    LookedOver.objects.all().delete()
    assert not look_over.is_complete(Invoice)
    look_over.look_over()
    assert look_over.is_complete(Invoice)
    assert filtered(Invoice) == {each.pk for each in pair}
    assert look_over.look_over() == 0


def test_what_nobody_kept_is_found_within_a_day(pair):
    look_over.look_over()
    set_apart(*pair)
    gone = invoice("9")
    Invoice.objects.filter(pk=pair[0].pk).update(number="8")
    Invoice.objects.filter(pk=gone.pk)._raw_delete("default")
    LookedOver.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    look_over.look_over()
    assert not found(pair[1])
    assert not Apart.objects.exists()
    assert not Likeness.objects.filter(record_id=gone.pk).exists()


def test_a_mark_that_was_lost_after_the_commit_is_made_within_a_day(pair):
    look_over.look_over()
    Likeness.objects.update(open=False)  # its process was killed between the commit and the mark
    LookedOver.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    look_over.look_over()
    assert filtered(Invoice) == {each.pk for each in pair}


def test_other_rules_compare_all_anew_and_leave_decisions_alone(pair, monkeypatch):
    look_over.look_over()
    set_apart(*pair)
    monkeypatch.setattr(Invoice, "likeness_rules", "2")
    monkeypatch.setattr(Invoice, "likenesses", lambda record: {"number": record.number[:4]})
    assert not look_over.is_complete(Invoice)
    third = invoice("2026/18")
    look_over.look_over()
    assert look_over.is_complete(Invoice)
    assert found(pair[0]) == [third.pk]
    assert Apart.objects.exists()
