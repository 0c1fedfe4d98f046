"""A run, and a plain call, keep what they really changed in each record: before and after, and nothing more."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.runs.change import values
from backoffice.runs.checks import declared
from backoffice.runs.engine import chunks, claims, give_back, slicing
from backoffice.runs.models import ChangeSet, Chunk, RunItem, State
from backoffice.runs.registry import find
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.factories import user
from tests.freight.factories import shipment
from tests.freight.models import Shipment
from tests.probe.models import Kinds, Odd, Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes
from tests.runs.races import beside
from tests.shipping.factories import shipments
from tests.shipping.models import Shipment as Parcelled
from tests.shipping.tasks import charge

pytestmark = pytest.mark.django_db(transaction=True)


def kept(record_id: int) -> dict:
    """By field, before and after."""
    found = ChangeSet.objects.get(record_id=record_id)
    return {each.field: (each.before, each.after) for each in found.changes}


def test_each_record_has_the_fields_that_changed_before_and_after():
    probe, done = probes(2)
    Probe.objects.filter(pk=done.pk).update(result="PROBE 1", processed=True)
    run = work_off(poke_all())
    assert kept(probe.pk) == {"result": ("", "PROBE 0"), "effects": (0, 1), "processed": (False, True)}
    assert kept(done.pk) == {"effects": (0, 1)}
    found = ChangeSet.objects.get(record_id=done.pk)
    assert (found.run_id, found.record_type, found.task, found.task_id) == (run.pk, None, "", "")
    assert found.at <= run.finished_at


def test_a_plain_call_keeps_them_too_with_the_task_and_its_id():
    (probe,) = probes(1)
    poke.apply(args=[probe.pk], task_id="my-call").get()
    assert kept(probe.pk) == {"result": ("", "PROBE 0"), "effects": (0, 1), "processed": (False, True)}
    found = ChangeSet.objects.get()
    assert (found.run_id, found.record_type.model, found.task, found.task_id) == (None, "probe", poke.name, "my-call")


def test_a_record_that_failed_or_was_not_written_has_none():
    probes(2, behaviour="fail")
    probes(1, behaviour="unwritable")
    run = work_off(poke_all())
    assert run.failed == 3
    assert not ChangeSet.objects.exists()


def test_who_was_taken_for_dead_keeps_nothing():
    (probe,) = probes(1)
    run = poke_all()
    chunk, items = claims.claim(Chunk.objects.get().pk)
    shift = chunks.Shift(find("poke"), chunk, items)
    give_back.lost(chunk.pk)
    with pytest.raises(chunks.Lost):
        shift.run_through()
    assert not ChangeSet.objects.exists()
    work_off(run)
    assert kept(probe.pk)["effects"] == (0, 1)


@pytest.mark.parametrize("by_run", [True, False], ids=["run", "plain call"])
def test_a_body_that_writes_elsewhere_and_ran_twice_changed_its_record_once(monkeypatch, by_run):
    first, *_others = shipments(3)
    edited = []

    def edit_beside(self):
        if self.pk == first.pk and not edited:
            edited.append(Parcelled.objects.filter(pk=first.pk).update(weight=7))

    monkeypatch.setattr(Parcelled, "after_charge", edit_beside)
    if by_run:
        work_off(start(Parcelled.objects.all(), charge))
    else:
        charge(first.pk)
    first.refresh_from_db()
    assert edited == [1]
    assert kept(first.pk)["price"][1] == {"decimal": str(first.price)}
    assert ChangeSet.objects.count() == (3 if by_run else 1)


def test_nothing_is_kept_where_nothing_changed(monkeypatch):
    monkeypatch.setattr(Probe, "process", lambda self: None)
    (probe,) = probes(1)
    work_off(poke_all())
    poke(probe.pk)
    assert not ChangeSet.objects.exists()


@pytest.fixture
def moving(monkeypatch):
    """A record task of which a field depends on the moment."""
    task = find("poke")
    monkeypatch.setattr(task, "volatile", ("effects",))
    for name in ("volatile_fields", "overwritten", "held"):
        task.__dict__.pop(name, None)
    yield task
    task.__dict__.pop("volatile_fields", None)


def test_volatile_fields_alone_make_none_and_are_kept_with_others(moving):
    same, other = probes(2)
    Probe.objects.filter(pk=same.pk).update(result="PROBE 0", processed=True)
    work_off(poke_all())
    assert Probe.objects.get(pk=same.pk).effects == 1
    assert kept(other.pk) == {"result": ("", "PROBE 1"), "effects": (0, 1), "processed": (False, True)}
    assert ChangeSet.objects.count() == 1


def test_a_volatile_field_that_there_is_not_is_refused_by_a_system_check(monkeypatch):
    monkeypatch.setattr(find("poke"), "volatile", ("effect",))
    assert ["'effect'" in message.msg for message in declared.record_task_declarations()] == [True]


def test_a_task_may_opt_out(monkeypatch):
    task = find("poke")
    monkeypatch.setattr(task, "change_sets", False)
    for name in ("overwritten", "held"):
        monkeypatch.delitem(task.__dict__, name, raising=False)
    (probe,) = probes(1)
    try:
        work_off(poke_all())
        poke(probe.pk)
    finally:
        for name in ("overwritten", "held"):
            task.__dict__.pop(name, None)
    assert Probe.objects.get().effects == 2
    assert not ChangeSet.objects.exists()


def test_what_somebody_wrote_meanwhile_is_what_was_there_before(monkeypatch):
    (probe,) = probes(1)
    original, edited = Probe.process, []

    def edit_beside(self):
        outcome = original(self)
        if not edited:  # no input of the task: nobody works on it anew
            edited.append(beside(lambda: Probe.objects.filter(pk=self.pk).update(result="by hand")))
        return outcome

    monkeypatch.setattr(Probe, "process", edit_beside)
    work_off(poke_all())
    assert kept(probe.pk)["result"] == ("by hand", "PROBE 0")


def test_a_value_is_kept_as_the_database_rounds_it(monkeypatch):
    made = shipment(weight="1.25")

    def weigh(self):
        self.price = self.weight / 10  # 0.125

    monkeypatch.setattr(Shipment, "process", weigh)
    work_off(start(Shipment.objects.all(), "price_freight"))
    made.refresh_from_db()
    assert kept(made.pk) == {"price": (None, {"decimal": str(made.price)})}
    assert str(made.price) in ("0.12", "0.13")


@pytest.fixture
def statements(monkeypatch):
    """What a run of so many records asks, in one chunk."""
    monkeypatch.setattr(slicing, "window", lambda: 1)

    def asked(model, task, *records):
        model.objects.all().delete()
        model.objects.bulk_create(records)
        run = start(model.objects.all(), task)
        with CaptureQueriesContext(connection) as seen:
            work_off(run)
        return [each["sql"] for each in seen.captured_queries]

    return asked


def test_a_chunk_asks_one_statement_more_however_many_records_it_has(statements, monkeypatch):
    few, many = (statements(Probe, "poke", *(Probe(text="a") for _ in range(number))) for number in (2, 90))
    assert len(many) == len(few)
    assert sum("runs_changeset" in each for each in many) == 1
    assert sum("probe_probe" in each for each in many) == 3  # read, locked with what was before, written
    monkeypatch.setattr(Probe, "process", lambda self: vars(self).update(result="", processed=False))
    unchanged = statements(Probe, "poke", Probe(), Probe())
    assert (len(unchanged), sum("runs_changeset" in each for each in unchanged)) == (len(few) - 1, 0)


def test_fields_that_the_database_may_change_are_read_in_one_statement_of_the_chunk(statements):
    asked = statements(Kinds, "fill_kinds", *(Kinds(number=user().pk) for _ in range(3)))
    assert sum("probe_kinds" in each for each in asked) == 4


def test_a_record_is_kept_once_whatever_becomes_of_its_run():
    probes(3)
    run = work_off(poke_all())
    assert set(run.items.values_list("state", flat=True)) == {State.SUCCESS}
    assert ChangeSet.objects.filter(run=run).count() == RunItem.objects.of(run).count()


def test_odd_values_are_no_changes():
    Odd.objects.create()
    work_off(start(Odd.objects.all(), "poke_odd"))
    assert ChangeSet.objects.get().fields == " effects processed "


@pytest.mark.parametrize("by_run", [True, False], ids=["run", "plain call"])
def test_of_every_kind_of_field_before_and_after_are_what_the_database_had_and_has(by_run):
    made = Kinds.objects.create(number=user().pk)
    before = stored()
    if by_run:
        assert work_off(start(Kinds.objects.all(), "fill_kinds")).succeeded == 1
    else:
        find("fill_kinds").apply(args=[made.pk]).get()
    after = stored()
    got = kept(made.pk)
    assert got.keys() == {name for name in before if before[name] != after[name]}
    for name, (was, is_now) in got.items():
        field = Kinds._meta.get_field(name)
        assert (values.read(field, was), values.read(field, is_now)) == (before[name], after[name])


def stored() -> dict:
    (row,) = Kinds.objects.values()
    named = {Kinds._meta.get_field(name).name: value for name, value in row.items()}
    return {name: bytes(value) if name == "raw" and value is not None else value for name, value in named.items()}
