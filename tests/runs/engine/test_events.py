"""Whoever registered is told of each run that has ended: after the commit, at least once, each by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.desk.health import thorough
from backoffice.runs import operations
from backoffice.runs.doctor.compare import measure
from backoffice.runs.engine import broker, events
from backoffice.runs.models import Event, Run, State
from backoffice.runs.start import activate
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(monkeypatch):
    """What two receivers of our own were told, and the words with which the second refuses."""
    told, refusal = {"first": [], "second": []}, []

    def first(run):
        told["first"].append((run.pk, run.state))

    def second(run):
        if refusal:
            raise ValueError(refusal[0])
        told["second"].append((run.pk, run.state))

    monkeypatch.setitem(events._receivers, Event.Kind.RUN_FINISHED, {"a.first": first, "b.second": second})
    told["refusal"] = refusal
    return told


def due_again():
    Event.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def ended():
    probes(3)
    return work_off(poke_all())


def cancelled():
    probes(3)
    run = poke_all()
    operations.cancel(run, "anna")
    sweep()
    return Run.objects.get(pk=run.pk)


def planned_over_records_that_another_run_took():
    probes(1)
    run = poke_all(due_at=timezone.now() + timedelta(hours=1))
    Event.objects.all().delete()
    poke_all()
    activate(run.pk)
    return Run.objects.get(pk=run.pk)


def ended_by_a_repair():
    run = ended()
    Event.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(finished_at=None, state=State.STARTED)
    measure(repair=True)
    return Run.objects.get(pk=run.pk)


@pytest.mark.parametrize("ending", [ended, cancelled, planned_over_records_that_another_run_took, ended_by_a_repair])
def test_whichever_way_a_run_ends_it_is_told_once_to_each(ending, heard):
    run = ending()
    assert run.finished_at
    for event in Event.objects.filter(run=run):
        events.tell(event.pk)
    assert heard["first"] == heard["second"] == [(run.pk, run.state)]
    assert not Event.objects.exists()


def test_an_open_run_tells_nothing():
    probes(3)
    poke_all()
    assert not Event.objects.exists()


def test_one_that_refuses_is_told_again_and_the_others_once(heard):
    run = ended()
    heard["refusal"].append("the mail server is away")
    (event,) = events.take_due(10)
    assert events.take_due(10) == []  # it has been taken
    with pytest.raises(ValueError, match="mail server"):
        events.tell(event)
    assert Event.objects.get().error == "b.second: ValueError: the mail server is away"
    assert events.take_due(10) == []  # it waits
    heard["refusal"].clear()
    due_again()
    events.tell(*events.take_due(10))
    assert heard["first"] == heard["second"] == [(run.pk, run.state)]


def test_the_waits_grow_and_end_and_doctor_names_what_was_not_told(heard):
    run, waits = ended(), []
    heard["refusal"].append("no such address")
    while taken := events.take_due(10):
        waits.append(round((Event.objects.get().due_at - timezone.now()).total_seconds()))
        with pytest.raises(ValueError, match="no such address"):
            events.tell(*taken)
        due_again()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, *([3600] * (Event.MOST - 7))]
    check = thorough.untold()
    assert not check.ok
    assert f"1 could not be told; run_finished of run {run.pk}: b.second: ValueError: no such address" in check.summary


def test_what_the_broker_does_not_take_is_taken_again(heard, monkeypatch):
    ended()

    def refused(*_args, **_options):
        raise broker.OperationalError("refused")

    monkeypatch.setattr(broker.current_app, "send_task", refused)
    sweep()
    event = Event.objects.get()
    assert event.attempts == 0
    assert event.due_at > timezone.now()


def test_a_run_that_retention_deleted_is_told_to_nobody(heard):
    run = ended()
    event = Event.objects.get().pk
    run.items.all().delete()
    run.delete()
    events.tell(event)
    assert heard["first"] == []


def test_a_worker_tells_it(worker):
    probes(3)
    run = poke_all(selection="note the end")
    wait_until(lambda: Run.objects.get(pk=run.pk).state == State.SUCCESS, what="run finished")
    sweep()
    wait_until(lambda: Probe.objects.filter(text=f"run {run.pk} SUCCESS told").exists(), what="told")
    assert poke.name == run.task.name
    wait_until(lambda: not Event.objects.exists(), what="no event left")
