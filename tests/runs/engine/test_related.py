"""Rows that a record leads to: loaded with it, and compared where the task reads them."""

from decimal import Decimal
from math import inf
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, transaction
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext

from backoffice.runs.engine import chunks, heartbeats
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.runs.races import begun, beside, held, wait_until_locked
from tests.shipping.factories import shipments
from tests.shipping.models import Carrier, Parcel, Seal, Shipment, Tariff
from tests.shipping.tasks import price, price_again, price_one_by_one, tick, weigh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queries_of_a_chunk(monkeypatch):
    """How many queries a chunk takes, and how many of its shipments have a carrier."""
    monkeypatch.setattr(chunks, "STINT", 0)  # it does not move on
    monkeypatch.setattr(heartbeats, "_seen", (inf, 0))  # else each five seconds one asks how many processes there are

    def count(task: Any, size: int) -> tuple[int, int]:
        Shipment.objects.all().delete()
        shipments(size)
        run = start(Shipment.objects.all(), task.name)
        chunk = run.chunks.earliest("pk")
        carried = Shipment.objects.filter(pk__range=(chunk.first, chunk.last), carrier__isnull=False).count()
        with CaptureQueriesContext(connection) as queries:
            chunks.work(task, chunk.pk)
        run.refresh_from_db()
        assert run.succeeded == chunk.size
        return len(queries), carried

    return count


@pytest.mark.parametrize(
    ("task", "more"), [(price, 0), (weigh, 1), (price_again, 1)], ids=["select", "prefetch", "reads of other rows"]
)
def test_other_rows_cost_so_many_queries_a_chunk_however_many_records(queries_of_a_chunk, task, more):
    for size in (12, 120):
        assert queries_of_a_chunk(task, size)[0] - queries_of_a_chunk(tick, size)[0] == more


def test_without_them_each_record_asks_for_itself(queries_of_a_chunk):
    queries, carried = queries_of_a_chunk(price_one_by_one, 120)
    assert queries - queries_of_a_chunk(tick, 120)[0] == 2 * carried > 0


@pytest.mark.parametrize(("task", "number"), [(tick, 2), (price, 2), (weigh, 3), (price_again, 3)])
def test_a_plain_call_asks_as_little(task, number):
    """For the record, what is prefetched with it, whether it is so still and what was there, and what it leads to."""
    (shipment,) = shipments(1)
    with CaptureQueriesContext(connection) as queries:
        assert task(shipment.pk) == f"Processed instance {shipment.pk}"
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(asked) == number, asked


def rate(shipment: Shipment) -> None:
    Tariff.objects.filter(name="road").update(rate=Decimal("7.50"))


def surcharge(shipment: Shipment) -> None:
    Carrier.objects.filter(name="road").update(surcharge=99)


def carrier(shipment: Shipment) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(carrier=Carrier.objects.get(name="rail"))


def a_carrier_alike(shipment: Shipment) -> None:
    """All that is read of it is the same, but it is another one."""
    made = Carrier.objects.create(name="new", surcharge=10, tariff=Tariff.objects.get(name="road"))
    Shipment.objects.filter(pk=shipment.pk).update(carrier=made)


def no_carrier(shipment: Shipment) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(carrier=None)


def tariff(shipment: Shipment) -> None:
    Carrier.objects.filter(name="road").update(tariff=Tariff.objects.get(name="rail"))


def seal(shipment: Shipment) -> None:
    Seal.objects.create(shipment=Shipment.objects.get(pk=shipment.pk), number=1)


def name(shipment: Shipment) -> None:
    Carrier.objects.filter(name="road").update(name="renamed")


def parcels(shipment: Shipment) -> None:
    Parcel.objects.update(weight=9)


SEEN = (rate, surcharge, carrier, a_carrier_alike, no_carrier, tariff, seal)
NOT_READ = (name, parcels)


@pytest.mark.parametrize("plain", [False, True], ids=["in a run", "plain"])
@pytest.mark.parametrize("edit", [*SEEN, *NOT_READ])
def test_what_is_edited_while_the_body_runs_is_seen_if_the_task_reads_it(monkeypatch, edit, plain):
    first = shipments(9)[0]
    original, bodies = Shipment.process, []

    def edited_meanwhile(self):
        outcome = original(self)
        if self.pk == first.pk and first.pk not in bodies:
            beside(lambda: edit(self))
        bodies.append(self.pk)
        return outcome

    monkeypatch.setattr(Shipment, "process", edited_meanwhile)
    if plain:
        assert price_again(first.pk) == f"Processed instance {first.pk}"
    else:
        assert work_off(start(Shipment.objects.all(), "price_again")).succeeded == 9
    assert (bodies.count(first.pk) == 2) is (edit in SEEN)
    first.refresh_from_db()
    stored = first.price
    original(first)
    assert stored == first.price


class Edit:
    @staticmethod
    def made(shipment: Shipment) -> None:
        with transaction.atomic():
            Shipment.objects.filter(pk=shipment.pk).update(number="edited")  # which the task does not read
            Tariff.objects.filter(name="road").update(rate=5)
            Edit.committed()

    @staticmethod
    def committed() -> None: ...


def test_who_edits_the_record_and_its_tariff_at_once_is_seen():
    """The record waits under its lock for that commit, and what it leads to is asked for after the wait."""
    (first,) = shipments(1)
    Shipment.objects.update(weight=3)
    run = start(Shipment.objects.all(), "price_again")
    with held(lambda: Edit.made(first), Edit, "committed") as edit, begun(lambda: work_off(run)) as work:
        wait_until_locked(work)
        edit.finish()
    first.refresh_from_db()
    run.refresh_from_db()
    assert (first.number, first.price, run.succeeded) == ("edited", 25, 1)


def test_what_is_declared_is_loaded_whole_and_the_rest_not():
    shipments(1)
    (loaded,) = price_again.records
    with CaptureQueriesContext(connection) as queries:
        assert (loaded.carrier.name, loaded.carrier.tariff.rate, loaded.weight) == ("road", 2, 0)
    assert not queries
    assert loaded.carrier.tariff.get_deferred_fields() == {"name"}
    assert {"number", "price"} <= loaded.get_deferred_fields()


def test_a_relation_that_is_loaded_may_begin_with_a_deferred_column(monkeypatch):
    shipments(9)
    lookups = ("carrier__tariff", Prefetch("parcels", Parcel.objects.order_by("pk")))
    monkeypatch.setattr(weigh, "prefetch_related", lookups)
    monkeypatch.delattr(weigh, "records")
    with CaptureQueriesContext(connection) as queries:
        names = {loaded.carrier and loaded.carrier.tariff.name for loaded in weigh.records}
    assert (names, len(queries)) == ({"road", "rail", None}, 4)


MISSPELT = {
    "reads": {
        "carier__tariff": "'carier__tariff': shipping.Shipment has no field 'carier'.",
        "carrier__tarif": "'carrier__tarif': shipping.Carrier has no field 'tarif'.",
        "weight__gt": "'weight__gt': shipping.Shipment.weight leads to no other row.",
        "parcels__weight": "'parcels__weight': shipping.Shipment.parcels leads to many rows: "
        "only a field of one is compared.",
        "carrier__shipment": "'carrier__shipment': shipping.Carrier.shipment is no column.",
    },
    "select_related": {
        "carier": "Invalid field name(s) given in select_related: 'carier'. Choices are: carrier, sealed_by",
        "parcels": "Invalid field name(s) given in select_related: 'parcels'. Choices are: carrier, sealed_by",
        "weight": "Non-relational field given in select_related: 'weight'. Choices are: carrier, sealed_by",
    },
    "prefetch_related": {
        "parcel_set": "'parcel_set': shipping.Shipment has no relation 'parcel_set'.",
        "carrier__tarif": "'carrier__tarif': shipping.Carrier has no relation 'tarif'.",
        "weight": "'weight': shipping.Shipment has no relation 'weight'.",
    },
}


@pytest.mark.parametrize(("option", "name"), [(option, name) for option in MISSPELT for name in MISSPELT[option]])
def test_a_misspelt_path_is_named_at_start(monkeypatch, option, name):
    monkeypatch.setattr(price, option, (name,))
    assert told() == [f"tests.shipping.tasks.price: {option} {MISSPELT[option][name]}"]


@pytest.mark.parametrize("option", [*MISSPELT, "writes"])
def test_a_text_in_place_of_a_tuple_is_named_at_start(monkeypatch, option):
    monkeypatch.setattr(price, option, "carrier")
    assert told() == [f"tests.shipping.tasks.price: {option} is the text 'carrier': give a tuple, ('carrier',)."]


@pytest.mark.parametrize("lookup", ["parcels", "carrier__tariff", "carrier__shipment_set", "seal", Prefetch("parcels")])
def test_what_django_can_prefetch_is_no_mistake(monkeypatch, lookup):
    monkeypatch.setattr(price, "prefetch_related", (lookup,))
    assert told() == []


def told() -> list[str]:
    return [message.msg for message in run_checks() if message.id in ("runs.E004", "runs.E011")]
