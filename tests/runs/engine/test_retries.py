"""However a record comes back, and whatever its task declares: no item is claimed more than 20 times."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from backoffice.runs import sweep
from backoffice.runs.models import Run, RunItem, State
from backoffice.runs.registry import find
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = [(0, 1), (2, 3), (19, 20), (30, 20), (None, 20)]  # and how often it is begun


def come_to_its_end(run: Run) -> RunItem:
    for _time in range(40):
        if work_off(run).is_finished:
            break
        RunItem.objects.filter(state=State.RETRY).update(due_at=timezone.now() - timedelta(seconds=1))
        sweep.requeue_due_retries()
    return RunItem.objects.get(run_id=run.pk)


@pytest.mark.parametrize(("asked", "begun"), ASKED)
def test_a_record_that_never_passes_is_begun_as_often_as_declared_within_the_bound(asked, begun, monkeypatch):
    monkeypatch.setattr(find("poke"), "max_retries", asked)
    probes(1, behaviour="flaky")
    item = come_to_its_end(poke_all())
    assert (item.state, item.attempts) == (State.FAILURE, begun)


@pytest.mark.parametrize(("asked", "begun"), ASKED)
def test_so_is_a_plain_call(asked, begun, monkeypatch):
    monkeypatch.setattr(find("poke"), "max_retries", asked)
    [probe], original, bodies = probes(1, behaviour="flaky"), Probe.process, []

    def counted(self):
        bodies.append(self.pk)
        return original(self)

    monkeypatch.setattr(Probe, "process", counted)
    assert find("poke").apply([probe.pk]).state == "FAILURE"
    assert len(bodies) == begun


def test_what_was_claimed_for_other_reasons_counts_and_its_last_error_is_told(monkeypatch):
    monkeypatch.setattr(find("poke"), "max_retries", 19)
    probes(1, behaviour="flaky")
    run = poke_all()
    RunItem.objects.update(attempts=17)
    item = come_to_its_end(run)
    run.refresh_from_db()
    assert (item.state, item.attempts, item.retries) == (State.FAILURE, 20, 3)
    assert "was begun 20 times and came to no end" in item.error
    assert item.error.startswith("ConnectionError")
    assert (run.state, run.failed, run.is_finished) == (State.FAILURE, 1, True)


def test_authors_are_told(monkeypatch):
    def told(asked):
        monkeypatch.setattr(find("poke"), "max_retries", asked)
        return [message.msg for message in run_checks() if message.id in ("runs.E008", "runs.W008")]

    assert [told(asked) for asked in (0, 5, 19)] == [[], [], []]
    assert told(30) == ["tests.probe.tasks.poke has a max_retries of 30: a record is tried again 19 times."]
    assert told(None) == ["tests.probe.tasks.poke has a max_retries of None: a record is tried again 19 times."]
    assert told(-1) == ["tests.probe.tasks.poke has the max_retries -1."]
    assert told("5") == ["tests.probe.tasks.poke has the max_retries '5'."]
