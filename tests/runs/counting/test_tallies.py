"""How many records of a run came to the same is told by a table that each chunk writes along."""

from collections import Counter
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction

from backoffice.runs import operations
from backoffice.runs.counting import again, keep
from backoffice.runs.doctor.compare import measure
from backoffice.runs.engine import events, give_back, ledger
from backoffice.runs.engine.ledger import Transition
from backoffice.runs.models import Event, Run, RunItem, State, Tally
from backoffice.runs.registry import CLAIMS
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)


def told(run: Run, kind: str = "outcome") -> dict[str, int]:
    return dict(run.tallies.filter(kind=kind).values_list("words" if kind == "failure" else "key", "number"))


@pytest.fixture
def run():
    probes(5)
    probes(3, behaviour="fail")
    return work_off(poke_all())


def came_to(run: Run, *outcomes: str) -> None:
    """What the next of its items ended with, as a chunk of its own writes it."""
    ids = list(run.items.open().order_by("record_id").values_list("record_id", flat=True)[: len(outcomes)])
    with transaction.atomic():
        done = [Transition(pk, State.SUCCESS, outcome) for pk, outcome in zip(ids, outcomes, strict=True)]
        ledger.write(run, done, "", owner=None)


def test_outcomes_and_failures_that_are_alike_are_counted_with_each_chunk(run):
    assert told(run) == {"done": 5}
    assert told(run, "failure") == {"ValueError: cannot work on <value>": 3}
    assert set(run.items.failed().values_list("alike", flat=True)) == {run.tallies.get(kind="failure").key}
    assert not run.items.exclude(state=State.FAILURE).exclude(alike=None).exists()
    assert not again.differs(run)


def test_a_label_ends_where_its_sentence_begins_and_is_as_long_as_a_key():
    probes(4)
    run = poke_all()
    came_to(run, "valid: with: colons", "valid", "y" * 150)
    came_to(run, "valid: again")
    assert told(run) == {"valid": 3, "y" * Tally.LONGEST: 1}
    assert not again.differs(run)


def test_what_no_task_should_tell_apart_is_counted_together(monkeypatch):
    monkeypatch.setattr(Tally, "LIMIT", 3)
    probes(9)
    run = poke_all()
    came_to(run, "b", "a")
    came_to(run, "c", "d", "e", "a")
    came_to(run, "d", "b", "f")
    assert told(run) == {"a": 2, "b": 2, "c": 1, "": 4}
    assert not again.differs(run)
    with transaction.atomic():
        again.recount(run)
    assert told(run) == {"a": 2, "b": 2, "d": 2, "": 3}, "the commonest"


def test_retries_worn_records_and_a_cancel_leave_the_numbers_true():
    flaky = probes(3, behaviour="flaky")
    run = work_off(poke_all())
    assert told(run) == told(run, "failure") == {}
    RunItem.objects.filter(record_id=flaky[0].pk).update(attempts=CLAIMS)
    with transaction.atomic():
        give_back.end_worn(run, list(run.items.filter(state=State.RETRY)))
    assert list(told(run, "failure").values()) == [1]
    operations.cancel(run, "anna")
    assert run.is_finished
    assert (told(run), sum(told(run, "failure").values())) == ({}, 1)
    assert not again.differs(run)


def test_a_chunk_asks_once_for_all_it_has_counted(django_assert_num_queries, run):
    same = [Transition(pk, State.SUCCESS, f"o{pk % 7}") for pk in range(200)]
    with transaction.atomic(), django_assert_num_queries(1):
        keep.add(run, same, {})
    with transaction.atomic(), django_assert_num_queries(0):
        keep.add(run, [Transition(1, State.RETRY)], {})


def test_numbers_that_are_not_those_of_the_records_are_found_and_counted_again(run):
    Tally.objects.filter(kind="outcome").update(number=4)
    RunItem.objects.update(alike=None)
    assert measure().tallies_wrong == 1
    measure(repair=True)
    assert (measure().tallies_wrong, told(run)) == (0, {"done": 5})
    assert told(run, "failure") == {"ValueError: cannot work on <value>": 3}


def test_what_workers_of_the_version_before_left_uncounted_is_counted_when_the_run_ends(run):
    """They work on until they are restarted."""
    Tally.objects.filter(kind="outcome").update(number=1)
    events.tell(Event.objects.get(run=run).pk)
    assert told(run) == {"done": 5}


def test_runs_of_the_time_before_are_counted_and_a_migration_that_was_ended_goes_on(run, monkeypatch):
    migration = import_module("backoffice.runs.migrations.0015_what_came_of_runs_before")
    other = work_off(poke_all())
    Tally.objects.all().delete()
    RunItem.objects.update(alike=None)
    monkeypatch.setattr(again, "SLICE", 2)
    seen, write = Counter(), again.write

    def dies_at_the_second(tallies, pk, rows):
        seen[pk] += 1
        if len(seen) == 2 and seen[pk] == 1:
            raise KeyboardInterrupt
        write(tallies, pk, rows)

    monkeypatch.setattr(again, "write", dies_at_the_second)
    with connection.schema_editor() as editor:
        with pytest.raises(KeyboardInterrupt):
            migration.count(apps, editor)
        migration.count(apps, editor)
        migration.count(apps, editor)
    assert seen == {run.pk: 1, other.pk: 2}
    assert (told(run), told(run, "failure")) == ({"done": 5}, {"ValueError: cannot work on <value>": 3})
    assert not again.differs(run)
    assert not again.differs(other)
    assert not RunItem.objects.failed().filter(alike=None).exists()


def test_a_run_that_is_deleted_takes_its_numbers_along(run):
    Run.objects.filter(pk=run.pk).delete()
    assert not Tally.objects.exists()
    assert Probe.objects.exists()
