"""The record task called the plain Celery way."""

from contextlib import nullcontext
from functools import partial

import pytest
from celery.exceptions import Retry
from django.db import transaction
from django_celery_results.models import TaskResult

from backoffice.results import bulk
from backoffice.runs.engine.plain_call import as_id
from backoffice.runs.models import RunItem
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import probes

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_processes_one_record_and_says_so():
    (probe,) = probes(1)
    assert poke(probe.pk) == f"Processed instance {probe.pk}"
    assert poke(instance_id=probe.pk) == f"Processed instance {probe.pk}"
    probe.refresh_from_db()
    assert probe.effects == 2
    assert not RunItem.objects.exists()


@pytest.mark.parametrize("absent", [7, -1, 0, "text", "", None, 2**63, 2**200, 1.5, True, [1], {"a": 1}])
def test_what_is_no_record_is_said_to_be_missing(absent):
    assert poke(absent) == f"Instance {absent} not found."


@pytest.mark.parametrize("call", [poke, poke.delay, poke.apply_async, lambda each: poke.apply(args=[each]).get()])
@pytest.mark.parametrize("inside", [True, False])
def test_a_record_in_place_of_its_id_is_refused_in_words(call, inside):
    (probe,) = probes(1)
    call = partial(call, [probe]) if call == poke.apply_async else partial(call, probe)
    refused = pytest.raises(TypeError, match=f"takes a record's id, not the Probe itself: give {probe.pk}")
    with refused, transaction.atomic() if inside else nullcontext():
        call()


def test_a_number_in_a_text_is_a_number():
    assert as_id("12") == 12
    assert as_id("1e3") is None


@pytest.mark.parametrize("by", ["its values", "reading again"])
def test_a_record_edited_meanwhile_is_processed_again(monkeypatch, by):
    if by == "reading again":  # as where an input is a date, a list or NULL
        monkeypatch.setattr(bulk, "is_comparable", lambda *_args: False)
    (probe,) = probes(1)
    original, edited = Probe.process, []

    def edit_meanwhile(self):
        outcome = original(self)
        if not edited:
            edited.append(Probe.objects.filter(pk=self.pk).update(text="edited"))
        return outcome

    monkeypatch.setattr(Probe, "process", edit_meanwhile)
    poke(probe.pk)
    probe.refresh_from_db()
    assert (probe.text, probe.result, probe.effects) == ("edited", "EDITED", 1)


@pytest.mark.parametrize("value", ["", "é 🜁 'x' \\ \"y\"", "trailing ", "A"])
def test_a_record_is_found_by_whatever_its_inputs_hold(value):
    Probe.objects.bulk_create([Probe(text=value)])
    probe = Probe.objects.get()
    assert poke(probe.pk) == f"Processed instance {probe.pk}"
    probe.refresh_from_db()
    assert (probe.text, probe.result, probe.effects) == (value, value.upper(), 1)


def test_a_text_with_a_collation_of_its_own_is_not_compared_by_the_database(monkeypatch):
    assert bulk.is_comparable(Probe, ("id", "text"), (1, "A"))
    monkeypatch.setattr(Probe._meta.get_field("text"), "db_collation", "nocase")
    assert not bulk.is_comparable(Probe, ("id", "text"), (1, "A"))


def test_a_transient_error_asks_celery_for_a_retry():
    (probe,) = probes(1, behaviour="flaky")
    with pytest.raises((Retry, ConnectionError)):
        poke.apply(args=[probe.pk], throw=True)


def test_eager_mode_works_as_anywhere(settings):
    (probe,) = probes(1)
    assert poke.apply(args=[probe.pk]).get() == f"Processed instance {probe.pk}"
    assert not TaskResult.objects.exists()
