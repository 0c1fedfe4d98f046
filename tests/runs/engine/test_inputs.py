"""Whether a record is still as its task read it: edits are always seen, and odd values are no edits."""

import pytest
from celery.exceptions import Retry
from django.db import connection

from backoffice.runs import sweep
from backoffice.runs.engine import chunks, wording
from backoffice.runs.models import RunItem, State
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.probe.models import Never, Odd, Probe
from tests.probe.tasks import poke, poke_never, poke_odd
from tests.runs.factories import item, poke_all, probes
from tests.runs.races import beside

pytestmark = pytest.mark.django_db(transaction=True)

ODD = {
    "not a number": ("number", "NaN"),
    "not a number in Python": ("reading", "nan"),
    "compared by identity": ("point", "3,4"),
    "an array": ("figures", "3,4"),
    "not what the column holds": ("label", "  padded  "),
    "nothing of the kind": ("label", "plain"),
}


@pytest.fixture(params=ODD)
def odd(request, is_sqlite):
    """A record with an input that is not what it seems, written by SQL as an import may."""
    column, value = ODD[request.param]
    if is_sqlite and value == "NaN":
        pytest.skip("SQLite stores no NaN")
    made = Odd.objects.create()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE probe_odd SET {column} = %s WHERE id = %s", [value, made.pk])
    return made


@pytest.fixture
def bodies(monkeypatch):
    """The ids of records in the order in which their bodies ran."""
    seen = []
    for model in (Odd, Never, Probe):

        def counted(self, original=model.process):
            seen.append(self.pk)
            return original(self)

        monkeypatch.setattr(model, "process", counted)
    return seen


def test_an_odd_input_is_no_edit_in_a_run(odd, bodies):
    run = work_off(start(Odd.objects.all(), "poke_odd"))
    assert (run.succeeded, len(bodies)) == (1, 1)
    assert Odd.objects.get().effects == 1


def test_an_odd_input_is_no_edit_in_a_plain_call(odd, bodies):
    assert poke_odd(odd.pk) == f"Processed instance {odd.pk}"
    assert (Odd.objects.get().effects, len(bodies)) == (1, 1)


def test_an_edit_beside_an_odd_input_is_seen(odd, monkeypatch):
    original, edited = Odd.process, []

    def edits(self):
        outcome = original(self)
        if not edited:
            edited.append(beside(lambda: Odd.objects.filter(pk=self.pk).update(note="by hand", effects=10)))
        return outcome

    monkeypatch.setattr(Odd, "process", edits)
    assert work_off(start(Odd.objects.all(), "poke_odd")).succeeded == 1
    found = Odd.objects.get()
    assert (found.note, found.effects) == ("by hand", 11)


def test_a_record_that_is_never_as_it_was_read_is_tried_a_few_times_and_fails_with_a_sentence(bodies):
    never = Never.objects.create(secret="s")
    run = work_off(start(Never.objects.all(), "poke_never"))
    assert (item(run, never).state, item(run, never).attempts) == (State.RETRY, 1)
    RunItem.objects.update(due_at=run.created_at)
    sweep.sweep()
    work_off(run)
    assert run.failed == 1
    assert item(run, never).error == f"Edited: Record {never.pk} was changed each time it was processed."
    assert len(bodies) == 2 * chunks.PASSES
    assert Never.objects.get().effects == 0
    with pytest.raises(Retry):
        poke_never.apply(args=[never.pk], throw=True).get()


def test_a_record_edited_in_a_slow_chunk_is_not_handed_back_for_ever(bodies, monkeypatch):
    never = Never.objects.create(secret="s")
    monkeypatch.setattr(chunks, "BUDGET", 0)
    run = work_off(start(Never.objects.all(), "poke_never"))
    assert (item(run, never).state, len(bodies)) == (State.RETRY, 1)


@pytest.fixture
def mended(monkeypatch):
    """Probes that fail, each mended by somebody while its body is at it."""
    original = Probe.process

    def mend(self):
        text = self.text
        beside(lambda: Probe.objects.filter(pk=self.pk, behaviour="fail").update(behaviour="fine", text="mended"))
        self.text = text
        return original(self)

    monkeypatch.setattr(Probe, "process", mend)


def test_a_record_mended_while_its_body_fails_does_not_fail(mended):
    probes(3, behaviour="fail")
    run = work_off(poke_all())
    assert (run.succeeded, run.failed) == (3, 0)
    assert set(Probe.objects.values_list("result", "effects")) == {("MENDED", 1)}
    assert set(RunItem.objects.values_list("error", flat=True)) == {""}


def test_a_record_mended_while_a_plain_call_fails_does_not_fail(mended):
    (probe,) = probes(1, behaviour="fail")
    assert poke(probe.pk) == f"Processed instance {probe.pk}"


def test_a_record_mended_while_its_write_is_refused_does_not_fail(monkeypatch):
    (probe,) = probes(1, behaviour="unwritable")
    run = poke_all()
    original = chunks.Shift.refuse

    def mend(self, exc):
        beside(lambda: Probe.objects.filter(behaviour="unwritable").update(behaviour="fine"))
        original(self, exc)

    monkeypatch.setattr(chunks.Shift, "refuse", mend)
    work_off(run)
    RunItem.objects.filter(state=State.RETRY).update(due_at=run.created_at)
    sweep.sweep()
    assert work_off(run).succeeded == 1
    assert item(run, probe).error == ""


def test_a_record_that_comes_while_it_is_written_to_be_missing_is_processed(monkeypatch):
    (probe,) = probes(1)
    run = poke_all()
    Probe.objects.all().delete()
    original = wording.not_found

    def comes(*args):
        beside(lambda: Probe.objects.bulk_create([probe]))
        return original(*args)

    monkeypatch.setattr(wording, "not_found", comes)
    assert work_off(run).succeeded == 1


def test_records_that_fail_and_stay_as_they_are_fail_once(bodies):
    probes(3, behaviour="fail")
    assert work_off(poke_all()).failed == 3
    assert len(bodies) == 3
