"""When the previous firing is still at work, or was never picked up."""

import pytest

from backoffice.runs.models import Run
from backoffice.schedules.models import Firing, Overlap
from backoffice.schedules.scheduled import start_run
from tests.schedules import factories, queued, rounds
from tests.schedules.factories import nightly, option
from tests.schedules.rounds import dues
from tests.schedules.tasks import PROCESS

pytestmark = pytest.mark.django_db


def test_a_schedule_still_at_work_is_skipped_with_the_reason(clock):
    factories.partners()
    row = nightly()
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.set("2026-01-06 02:00:01")
    rounds.round_of(scheduler)
    clock.set("2026-01-07 02:00:01")
    scheduler.repeated_at = float("inf")
    rounds.round_of(scheduler)
    skipped = Firing.objects.get(schedule=row, state="skipped")
    assert "not been picked up by a worker" in skipped.reason


@pytest.mark.parametrize(("overlap", "sent"), [(Overlap.QUEUE, 1), (Overlap.ALLOW, 2)])
def test_overlap_queue_waits_and_overlap_allow_does_not(overlap, sent, clock):
    row = nightly()
    option(row, overlap=overlap)
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    for day in (6, 7):
        clock.set(f"2026-01-0{day} 02:00:01")
        rounds.round_of(scheduler)
    assert len(dues()) == sent
    Firing.objects.filter(state="sent").update(note="done")
    rounds.round_of(scheduler)
    assert len(dues()) == 2


def test_a_start_of_a_run_that_no_worker_picked_up_is_sent_again_and_makes_one_run(clock):
    factories.partners()
    nightly()
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.set("2026-01-06 02:00:01")
    rounds.round_of(scheduler)
    clock.go(seconds=90)
    rounds.round_of(scheduler)
    rounds.round_of(scheduler)
    sent = queued.messages()
    assert len(sent) == 2
    chosen = {"filter": {"processed": False}}
    ids = [message["backoffice-firing"] for message in sent]
    answers = {start_run(PROCESS, chosen, schedule_name="Nightly", firing_id=each) for each in ids}
    run = Run.objects.get()
    assert answers == {f"Started run {run.pk} over 3 records."}
    assert (run.source, run.schedule_name, Firing.objects.get().run) == ("schedule", "Nightly", run)
