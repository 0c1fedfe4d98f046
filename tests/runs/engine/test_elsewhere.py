"""What a body writes beside its record: with the record's outcome, or not at all."""

import contextlib
import os
import signal

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from backoffice.results.left_open import LeftOpenError
from backoffice.runs import sweep
from backoffice.runs.engine import chunks, give_back
from backoffice.runs.models import Chunk, RunItem, State
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.probe.left_open import LEFT
from tests.runs.factories import item
from tests.runs.races import at_once, beside
from tests.schedules.queued import messages
from tests.shipping.factories import shipments
from tests.shipping.models import Carrier, Charge, Shipment
from tests.shipping.tasks import charge, charge_carelessly, tick

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meddle(monkeypatch):
    """Something happens once, at the end of a record's body."""

    def at(record, step):
        done = []

        def after_charge(self):
            if self.pk == record.pk and not done:
                done.append(self.pk)
                step()

        monkeypatch.setattr(Shipment, "after_charge", after_charge)

    return at


def charge_all():
    return work_off(start(Shipment.objects.all(), "charge"))


def charged() -> list[int]:
    """The shipments charged, each as often as it was; in the same transactions the carriers' sums were written."""
    found = sorted(Charge.objects.values_list("shipment", flat=True))
    carried = Shipment.objects.filter(pk__in=found, carrier__isnull=False).values_list("pk", flat=True)
    assert sum(Carrier.objects.values_list("charged", flat=True)) == sum(found.count(pk) for pk in carried)
    return found


def fail() -> None:
    raise ValueError("no such tariff")


def refused_by_the_database() -> None:
    Charge.objects.create(shipment=None, amount=None)


def cut_off() -> None:
    connection.connection.close()
    Charge.objects.count()


@pytest.mark.parametrize("error", [fail, refused_by_the_database])
def test_what_a_failing_body_wrote_is_undone_and_that_of_others_stays(meddle, error):
    made = shipments(9)
    meddle(made[3], error)
    run = charge_all()
    assert (run.succeeded, run.failed) == (8, 1)
    assert item(run, made[3]).error.startswith(("ValueError: no such tariff", "IntegrityError: "))
    assert charged() == [s.pk for s in made if s is not made[3]]
    assert Shipment.objects.filter(processed=True).count() == 8


@pytest.mark.parametrize("error", [fail, refused_by_the_database])
def test_what_a_failing_plain_call_wrote_is_undone(meddle, error):
    (made,) = shipments(1)
    meddle(made, error)
    with pytest.raises((ValueError, IntegrityError)):
        charge(made.pk)
    assert charged() == []
    assert charge(made.pk) == f"Processed instance {made.pk}"
    assert charged() == [made.pk]


def test_what_a_task_does_not_declare_is_committed_as_it_is_written(meddle):
    (made,) = shipments(1)
    meddle(made, fail)
    with pytest.raises(ValueError, match="no such tariff"):
        charge_carelessly(made.pk)
    assert charged() == [made.pk]


@pytest.mark.parametrize("plain", [False, True], ids=["in a run", "plain"])
@pytest.mark.parametrize("fails", [False, True], ids=["and works", "and fails"])
def test_a_record_edited_meanwhile_is_charged_once(meddle, is_sqlite, plain, fails):
    if is_sqlite:
        pytest.skip("SQLite has one writer: who would edit waits for the body's end")
    made = shipments(9)
    last = made[-1]

    def edit() -> None:
        beside(lambda: Shipment.objects.filter(pk=last.pk).update(weight=100))
        if fails:
            fail()

    meddle(last, edit)
    if plain:
        assert charge(last.pk) == f"Processed instance {last.pk}"
    else:
        assert charge_all().succeeded == 9
    last.refresh_from_db()
    assert (charged().count(last.pk), last.price) == (1, 0)
    assert last.weight == 100


@pytest.mark.parametrize("step", ["lost", "away"])
def test_what_a_body_wrote_is_undone_with_a_chunk_that_cannot_be_written(meddle, monkeypatch, step):
    """Its holder was taken for dead, or the database was away, when the body was through."""
    made = shipments(24)
    run = start(Shipment.objects.all(), "charge")
    original = chunks.Shift._hold

    def not_held(self):
        if len(charged()) == 2:
            monkeypatch.setattr(chunks.Shift, "_hold", original)
            raise chunks.Lost("gone") if step == "lost" else OperationalError("the database is away")
        original(self)

    monkeypatch.setattr(chunks.Shift, "_hold", not_held)
    chunk = Chunk.objects.earliest("pk")
    if step == "lost":
        chunks.work(charge, chunk.pk)
    else:
        with pytest.raises(OperationalError):
            chunks.work(charge, chunk.pk)
    assert charged() == [made[0].pk]
    give_back.lost(chunk.pk)
    while not work_off(run).is_finished:
        sweep.sweep()
    assert run.succeeded == 24
    assert charged() == [s.pk for s in made]


def test_at_the_soft_limit_the_record_it_fell_upon_is_undone_and_the_others_are_kept(meddle):
    made = shipments(4)
    run = start(Shipment.objects.all(), "charge")
    meddle(made[1], lambda: os.kill(os.getpid(), signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, limit)
    try:
        chunks.work(charge, Chunk.objects.earliest("pk").pk)
        assert made[1].pk not in charged()
        assert work_off(run).succeeded == 4
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert charged() == [s.pk for s in made]


def limit(*_args: object) -> None:
    raise SoftTimeLimitExceeded


@pytest.mark.parametrize("plain", [False, True], ids=["in a run", "plain"])
@pytest.mark.parametrize("kind", LEFT)
def test_a_transaction_left_open_harms_no_other_record(meddle, plain, kind):
    made = shipments(6)
    meddle(made[1], LEFT[kind])
    if plain:
        with contextlib.suppress(LeftOpenError, DatabaseError):  # PostgreSQL takes a second BEGIN for none
            charge(made[1].pk)
        assert charge(made[2].pk) == f"Processed instance {made[2].pk}"
        assert made[2].pk in charged()
        return
    run = charge_all()
    assert run.is_finished
    failed = list(run.items.filter(state=State.FAILURE).values_list("record_id", flat=True))
    assert set(failed) <= {made[1].pk}
    assert charged() == [s.pk for s in made if s.pk not in failed]
    assert kind != "a block" or item(run, made[1]).error.startswith("LeftOpenError: charge left a transaction open")


def test_a_connection_that_breaks_in_a_body_gives_the_record_another_try(meddle, is_sqlite):
    if is_sqlite:
        pytest.skip("SQLite has no server to be cut off from")
    made = shipments(1)
    run = start(Shipment.objects.all(), "charge")
    meddle(made[0], cut_off)
    work_off(run)
    assert item(run, made[0]).state == State.RETRY
    assert charged() == []
    RunItem.objects.update(due_at=run.created_at)
    sweep.sweep()
    assert work_off(run).succeeded == 1
    assert charged() == [made[0].pk]


def test_a_value_its_column_does_not_take_undoes_what_else_was_written(monkeypatch):
    made = shipments(6)

    def spoil(self):
        self.price = "no price" if self.pk == made[2].pk else self.price

    monkeypatch.setattr(Shipment, "after_charge", spoil)
    run = charge_all()
    assert (run.succeeded, run.failed) == (5, 1)
    assert charged() == [s.pk for s in made if s is not made[2]]


def test_a_call_that_a_body_makes_is_sent_with_what_it_wrote(meddle):
    fine, bad = shipments(2)
    for shipment, then in ((fine, lambda: None), (bad, fail)):
        meddle(shipment, lambda then=then: (tick.delay(1), then()))
        with contextlib.suppress(ValueError):
            charge(shipment.pk)
    assert len(messages()) == 1


def test_a_run_moves_on_through_all_its_records(monkeypatch):
    made = shipments(25)
    monkeypatch.setattr(charge, "chunk_size", 4)
    run = charge_all()
    assert (run.state, run.succeeded) == (State.SUCCESS, 25)
    assert charged() == [s.pk for s in made]
    assert not run.chunks.exists()


def test_two_workers_on_the_same_carriers_charge_each_shipment_once(monkeypatch):
    made = shipments(60)
    monkeypatch.setattr(charge, "chunk_size", 10)
    run = start(Shipment.objects.all(), "charge")
    at_once(lambda: work_off(run), lambda: work_off(run))
    work_off(run)
    assert (run.state, run.succeeded) == (State.SUCCESS, 60)
    assert charged() == [s.pk for s in made]


def test_a_task_that_writes_nothing_elsewhere_pays_nothing():
    shipments(9)
    run = start(Shipment.objects.all(), "tick")
    with CaptureQueriesContext(connection) as queries:
        assert work_off(run).succeeded == 9
        tick(Shipment.objects.first().pk)
    assert not [query["sql"] for query in queries if query["sql"].startswith("SAVEPOINT")]
    assert tick.writes_elsewhere is False


@pytest.mark.processes
def test_a_worker_that_dies_after_a_body_has_written_leaves_nothing_of_it(worker):
    made = shipments(9)
    Shipment.objects.filter(pk=made[4].pk).update(number="deadly")
    run = start(Shipment.objects.all(), "charge")
    run.wait(timeout=60)
    assert (run.succeeded, run.failed) == (8, 1)
    assert item(run, made[4]).error.startswith("worker lost")
    assert charged() == [s.pk for s in made if s is not made[4]]
