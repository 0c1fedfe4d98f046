"""Staff set fields of many records at once: the chosen ones alone, where the model takes them, as an edit by hand."""

import datetime
from decimal import Decimal

import pytest
from celery import current_app
from django.contrib import admin
from django.core.checks import run_checks
from django.core.exceptions import FieldDoesNotExist
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.runs import parameters
from backoffice.runs.models import ChangeSet, Run
from backoffice.runs.pages import record_log
from backoffice.runs.registry import find
from backoffice.runs.seam import BadParameters, State, bulk_edit, start
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.freight.factories import shipment
from tests.freight.models import Carrier, Shipment
from tests.freight.tasks import edit_shipment
from tests.probe.models import Kinds
from tests.second.models import Invoice
from tests.second.tasks import edit_invoice

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime.datetime(2030, 1, 2, 12, tzinfo=datetime.UTC)


def edit(**values) -> Run:
    return work_off(start(Shipment.objects.all(), "edit_shipment", parameters=values))


def said(run: Run) -> list[str]:
    return [each.error or each.outcome for each in run.outcomes()]


VALUES = {
    "a decimal": ({"weight": "7.5"}, "weight", Decimal("7.50")),
    "a decimal, as a value": ({"weight": Decimal("7.5")}, "weight", Decimal("7.50")),
    "a date": ({"due": "2030-01-02"}, "due", NOON.date()),
    "a date, as a value": ({"due": NOON.date()}, "due", NOON.date()),
    "a moment": ({"picked_up": NOON}, "picked_up", NOON),
    "a moment, as a browser sends it": ({"picked_up": "2030-01-02T12:00:00"}, "picked_up", NOON),
    "yes": ({"fragile": "true"}, "fragile", True),
    "yes, as a value": ({"fragile": True}, "fragile", True),
    "an address": ({"contact": "anna@example.com"}, "contact", "anna@example.com"),
    "nothing, for what may be empty": ({"due": ""}, "due", None),
    "none": ({"due": None}, "due", None),
    "an empty text": ({"contact": ""}, "contact", ""),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_chosen_field_is_set_in_every_record_and_no_other(what, settings):
    settings.TIME_ZONE = "UTC"
    given, field, value = VALUES[what]
    rows = [shipment(f"S{n}", due="2029-01-01", contact="a@b.cc", fragile=False) for n in range(3)]
    before = Shipment.objects.order_by("pk").values()
    untouched = [{**row, field: value, "edited_at": None} for row in before]
    run = edit(**given)
    assert said(run) == [f"changed: {field}"] * 3
    assert [{**row, "edited_at": None} for row in Shipment.objects.order_by("pk").values()] == untouched
    assert {row.edited_at for row in rows}.isdisjoint(Shipment.objects.values_list("edited_at", flat=True))
    assert {names.replace(" edited_at", "") for names in ChangeSet.objects.values_list("fields", flat=True)} == {
        f" {field} "
    }


def test_a_row_of_another_table_is_chosen_by_its_number_or_itself():
    shipment()
    for carrier in (Carrier.objects.create(name="UPS"), Carrier.objects.create(name="GLS")):
        assert said(edit(carrier=carrier if carrier.name == "UPS" else carrier.pk)) == ["changed: carrier"]
        assert Shipment.objects.get().carrier == carrier


def test_only_the_chosen_columns_are_written():
    shipment()
    with CaptureQueriesContext(connection) as asked:
        edit(contact="anna@example.com")
    written = [query["sql"] for query in asked if query["sql"].startswith('UPDATE "freight_shipment"')]
    assert written
    assert not [sql for sql in written if '"weight" =' in sql.partition("WHERE")[0] or '"due" =' in sql]


def test_what_has_the_value_already_is_not_written():
    row = shipment(weight=2)
    run = edit(weight="2.00")
    assert (said(run), ChangeSet.objects.count()) == (["unchanged"], 0)
    assert Shipment.objects.get().edited_at == row.edited_at


BAD = [
    ({}, "Choose at least one field."),
    ({"weight": ""}, "Weight: This field is required."),
    ({"weight": "heavy"}, "Weight: Enter a number."),
    ({"weight": "1234567.89"}, "Weight: Ensure that there are no more than 8 digits in total."),
    ({"contact": "nobody"}, "Contact: Enter a valid email address."),
    ({"carrier": "0"}, "Carrier: Select a valid choice."),
    ({"fragile": "perhaps"}, "Fragile: This field is required."),
    ({"number": "S2"}, "has no parameter number"),
    ({"label": "x"}, "has no parameter label"),
    ({"price": "1"}, "has no parameter price"),
    ({"processed": "true"}, "has no parameter processed"),
    ({"edited_at": "2030-01-01"}, "has no parameter edited_at"),
    ({"due_at": "2030-01-01"}, "has no parameter due_at"),
]


@pytest.mark.parametrize(("given", "told"), BAD)
def test_what_the_form_refuses_starts_nothing(given, told):
    shipment()
    with pytest.raises(BadParameters) as refused:
        start(Shipment.objects.all(), "edit_shipment", parameters=given)
    assert told in str(refused.value)
    with pytest.raises(BadParameters):
        edit_shipment.delay(Shipment.objects.get().pk, **given)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"weight": "-1"}, "Refused: Nothing weighs nothing."), ({"weight": "31"}, "Refused: What is fragile weighs")],
)
def test_a_record_whose_model_refuses_the_value_fails_with_its_sentence(given, told):
    fragile, sturdy = shipment("S1", fragile=True), shipment("S2")
    run = edit(**given)
    told_of = dict(zip((fragile.pk, sturdy.pk), said(run), strict=True))
    assert told_of[fragile.pk].startswith(told)
    assert (told_of[sturdy.pk] == "changed: weight") is (given["weight"] == "31")
    assert Shipment.objects.get(pk=fragile.pk).weight == Decimal("2.50")


def test_what_a_models_clean_changes_besides_is_not_written(monkeypatch):
    monkeypatch.setattr(Shipment, "clean", lambda self: setattr(self, "contact", "by@clean.cc"))
    shipment()
    assert said(edit(weight=3)) == ["changed: weight"]
    assert Shipment.objects.get().contact == ""


def test_an_input_of_processing_takes_it_back_and_another_field_does_not():
    record = factories.processed(town="Berlin")
    run = work_off(start(YourModel.objects.all(), "edit_yourmodel", parameters={"town": "Bonn"}))
    record.refresh_from_db()
    assert (said(run), record.town, record.processed) == (["changed: town"], "Bonn", False)
    assert ChangeSet.objects.get().fields == " town processed updated_at "


def test_what_is_no_input_of_processing_leaves_it(monkeypatch):
    monkeypatch.setattr(find("price_freight"), "reads", ("weight",))
    row = shipment()
    Shipment.objects.update(processed=True)
    edit(contact="anna@example.com")
    row.refresh_from_db()
    assert row.processed
    edit(weight=3)
    row.refresh_from_db()
    assert not row.processed


def test_the_edit_is_no_processing_itself():
    """An edit by hand takes back what a processing task says, and this one reads all there is."""
    assert not edit_shipment.processes
    assert record_log.takes_back(Shipment, ["weight"])


def test_a_call_of_one_record_does_the_same():
    row = shipment()
    edit_shipment(row.pk, weight=3)
    row.refresh_from_db()
    assert (row.weight, ChangeSet.objects.get().task) == (3, "tests.freight.tasks.edit_shipment")


def test_a_command_sets_and_empties(capsys):
    row = shipment(contact="a@b.cc")
    told = ["--task", "edit_shipment", "--set", "weight=3", "contact="]
    call_command("process", "freight.Shipment", *told, "--reason", "weighed anew")
    run = work_off(Run.objects.get())
    row.refresh_from_db()
    assert (said(run), row.weight, row.contact) == (["changed: weight, contact"], 3, "")


def test_the_run_says_what_was_set_and_not_what_was_not():
    carrier = shipment().carrier
    run = edit(carrier=carrier, fragile=True)
    assert parameters.words(edit_shipment, run.parameters) == [("Carrier", "DHL"), ("Fragile", "yes")]


def test_a_schedule_begins_with_nothing_chosen():
    assert not any(parameters.for_page(edit_shipment, {}).values())


@pytest.mark.parametrize(
    ("declared", "left"),
    [({"exclude": ("weight",)}, "weight"), ({"readonly_fields": ("due",)}, "due"), ({"fields": ("weight",)}, "due")],
)
def test_what_the_records_form_lacks_cannot_be_set_either(monkeypatch, declared, left):
    shown = type(admin.site._registry[Shipment])
    for name, value in declared.items():
        monkeypatch.setattr(shown, name, value)
    shipment()
    with pytest.raises(BadParameters, match=f"has no parameter {left}"):
        edit(**{left: "2030-01-01"})


def test_a_form_that_loses_a_field_before_the_run_works_cancels_it(monkeypatch):
    shipment()
    run = start(Shipment.objects.all(), "edit_shipment", parameters={"due": "2030-01-01"})
    monkeypatch.setattr(type(admin.site._registry[Shipment]), "readonly_fields", ("due",))
    work_off(run)
    run.refresh_from_db()
    assert "Choose at least one field." in run.cancel_reason
    assert Shipment.objects.get().due is None


@pytest.mark.parametrize(
    ("fields", "error", "told"),
    [
        (("number",), TypeError, "'number' of freight.Shipment: it is unique"),
        (("processed",), TypeError, "it is set by processing"),
        (("id",), TypeError, "it is unique"),
        (("wieght",), FieldDoesNotExist, "wieght"),
    ],
)
def test_what_cannot_be_the_same_in_several_records_is_refused_at_once(fields, error, told):
    with pytest.raises(error, match=told):
        bulk_edit("freight.Shipment", fields=fields, name="edit_wrong")


def test_every_field_kind_has_its_input():
    task = bulk_edit("probe.Kinds", name="edit_kinds")
    try:
        offered = set(task.parameters.base_fields)
        editable = {field.name for field in Kinds._meta.concrete_fields if field.editable and not field.unique}
        assert offered == editable - {"file"}
        assert [message for message in run_checks(tags=["runs"]) if "edit_kinds" in message.msg] == []
    finally:
        del current_app.tasks[task.name]


def test_it_asks_for_the_permission_to_change_the_model():
    assert edit_invoice.permission == "second.change_invoice"
    assert work_off(start(invoices(), "edit_invoice", parameters={"net": 5})).state == State.SUCCESS


def invoices():
    Invoice.objects.create(number="I", net=1)
    return Invoice.objects.all()
