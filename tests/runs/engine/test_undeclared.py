"""What a record task does to its record and does not declare is that record's failure, with the field's name."""

from contextlib import suppress

import pytest

from backoffice.runs.models import RunItem, State
from backoffice.runs.models.at_work import Undeclared
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.second.models import Invoice
from tests.shipping.factories import shipments

pytestmark = pytest.mark.django_db(transaction=True)


INVOICE, SHIPMENT, PARTNER = "tax_invoice", "tick", "apply_corrections"


def changing(**fields):
    return lambda record: [setattr(record, name, value) for name, value in fields.items()]


def saves_quietly(record):
    record.number = "S"
    with suppress(Exception):
        record.save()


def saves_another_instance(record):
    same = type(record).objects.get(pk=record.pk)
    same.net = 7
    same.save()


def weighs_more(record):
    record.weight += 1


MISTAKES = {
    "a field": (INVOICE, changing(net=7), "net: changed"),
    "two": (INVOICE, changing(net=7, number="S"), "number, net: changed"),
    "the key": (INVOICE, changing(pk=10**6), "id: changed"),
    "to no such value": (INVOICE, changing(processed_at=1), "processed_at: changed"),
    "a relation": ("price", changing(carrier=None), "carrier: changed"),
    "what is not loaded": (SHIPMENT, changing(price=None), "price: changed"),
    "what is loaded late": (SHIPMENT, weighs_more, "weight: changed"),
    "in place": (PARTNER, lambda record, **_asked: record.issues.append({}), "issues: changed"),
    "saved": (INVOICE, lambda record: (changing(net=7)(record), record.save()), "Changed: net."),
    "saved in part": (INVOICE, lambda record: record.save(update_fields=["net"]), "save() in a record task"),
    "saved quietly": (SHIPMENT, saves_quietly, "Changed: number."),
    "another instance": (INVOICE, saves_another_instance, "save() in a record task"),
    "deleted": (INVOICE, lambda record: record.delete(), "delete() in a record task"),
}


def one_record(name):
    model = find(name).record_model
    if model is Invoice:
        return Invoice.objects.create(number="I", net=5)
    if name != PARTNER:
        return shipments(2)[1]
    return model.objects.create(name="Company", processed=True, issues=[{"code": "x"}])


def as_stored(record):
    return type(record).objects.filter(pk=record.pk).values().get()


@pytest.fixture(params=MISTAKES)
def mistaken(request, monkeypatch):
    name, body, sentence = MISTAKES[request.param]
    record = one_record(name)
    monkeypatch.setattr(find(name), "body", body)
    monkeypatch.setattr(find(name), "transient", (Exception,))  # and is not tried again
    return find(name), record, sentence


def test_a_mistake_is_the_records_failure_with_the_fields_name_and_nothing_is_written(mistaken):
    task, record, sentence = mistaken
    before = as_stored(record)
    run = work_off(start([record.pk], task))
    item = RunItem.objects.of(run).get()
    assert (item.state, item.error.partition(": ")[0]) == (State.FAILURE, "Undeclared")
    assert sentence in item.error
    assert as_stored(record) == before


def test_a_plain_call_raises_it(mistaken):
    task, record, sentence = mistaken
    before = as_stored(record)
    with pytest.raises(Undeclared) as raised:
        task(record.pk)
    assert sentence in str(raised.value)
    assert as_stored(record) == before


def another_record_is_saved(record):
    type(record).objects.create(number="another").delete()
    other = type(record).objects.exclude(pk=record.pk).get()
    other.number = "other"
    other.save()


ALLOWED = {
    "looks, and sets what is there": (SHIPMENT, lambda record: setattr(record, "weight", str(record.weight))),
    "reads it anew": (INVOICE, lambda record: record.refresh_from_db()),
    "reads a list": (PARTNER, lambda record, **_asked: record.issues),
    "another record": (SHIPMENT, another_record_is_saved),
    "of its own": (INVOICE, lambda record: changing(odd=1)(record)),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_changes_nothing_is_no_mistake(what, monkeypatch):
    name, body = ALLOWED[what]
    record = one_record(name)
    monkeypatch.setattr(find(name), "body", lambda record, **asked: body(record, **asked) and None)
    run = work_off(start([record.pk], name))
    assert (run.state, RunItem.objects.of(run).get().error) == (State.SUCCESS, "")


def test_after_the_task_a_record_is_saved_as_ever():
    record = one_record(INVOICE)
    find(INVOICE)(record.pk)
    record.refresh_from_db()
    record.number = "J"
    record.save()
    assert as_stored(record)["number"] == "J"
