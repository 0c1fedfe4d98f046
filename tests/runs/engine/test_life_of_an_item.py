"""Property test: whatever happens to a record in a run, and in whatever order, it ends once and leaves one effect."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from django_celery_results.models import TaskResult
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backoffice.runs import operations
from backoffice.runs.doctor.compare import measure
from backoffice.runs.engine import chunks, claims, give_back, heartbeats
from backoffice.runs.engine.ledger import Lost
from backoffice.runs.models import Chunk, Run, RunItem, State, Worker
from backoffice.runs.registry import find
from backoffice.runs.sweep import sweep
from tests.probe.models import Probe
from tests.properties import tries
from tests.runs.factories import poke_all

LONG_AGO = timedelta(hours=1)
PICK = st.integers(0, 50)
KINDS = st.sampled_from(["fine", "fine", "fail", "flaky", "unwritable"])


class LifeOfAnItem(RuleBasedStateMachine):
    """Workers are Shifts that the machine starts, interrupts and resumes as it likes."""

    @initialize(kinds=st.lists(KINDS, min_size=1, max_size=6))
    def click(self, kinds):
        for model in (Chunk, RunItem, Run, Worker, TaskResult, Probe):
            model.objects.all().delete()
        current_app.backend.client.flushall()
        heartbeats._seen = (float("inf"), 2)  # two processes, whoever reports
        Probe.objects.bulk_create([Probe(text=f"p{n}", behaviour=kind) for n, kind in enumerate(kinds)])
        self.run = poke_all()
        self.shifts: list[chunks.Shift] = []
        self.seen: set[int] = set(Chunk.objects.values_list("pk", flat=True))
        self.reference = {}  # terminal items must never change again

    def chunk(self, pick):
        """One there is, or there was."""
        self.seen |= set(Chunk.objects.values_list("pk", flat=True))
        return sorted(self.seen)[pick % len(self.seen)]

    @rule(pick=PICK)
    def claim_and_hold(self, pick):
        """A worker takes a chunk, or finds that a duplicate message brought it, and is then held up."""
        claimed = claims.claim(self.chunk(pick))
        if claimed:
            self.shifts.append(chunks.Shift(find("poke"), *claimed))

    @rule(pick=PICK)
    def deliver(self, pick):
        """A message, new or old, is worked on from claim to end."""
        chunks.work(find("poke"), self.chunk(pick))

    @precondition(lambda self: self.shifts)
    @rule(pick=PICK, last_step=st.sampled_from(["write", "write", "part", "hand back", "soft limit", "die"]))
    def go_on(self, pick, last_step):
        """A held-up worker goes on, whether or not it was taken for dead meanwhile."""
        shift = self.shifts.pop(pick % len(self.shifts))
        try:
            if last_step == "write":
                shift.run_through()
            elif last_step == "hand back":
                shift.give_back()
            elif last_step == "soft limit":
                shift.stop_at_soft_limit()
            elif last_step == "part":
                self.work_on_one(shift)
                shift.write(ends=False)
                self.shifts.append(shift)
        except Lost:
            pass
        except Exception as exc:
            shift.refuse(exc)

    def work_on_one(self, shift):
        for record_id in sorted(shift.open)[:1]:
            shift.done.append(shift._attempt(record_id, Probe.objects.filter(pk=record_id).first()))

    @rule(alive=st.booleans())
    def leases_run_out(self, alive):
        Chunk.objects.filter(claimed_at__isnull=False).update(lease_until=timezone.now() - LONG_AGO)
        for name in set(Chunk.objects.exclude(worker="").values_list("worker", flat=True)):
            seen_at = timezone.now() - (timedelta(0) if alive else LONG_AGO)
            Worker.objects.update_or_create(name=name, defaults={"seen_at": seen_at})
        Worker.objects.filter(name="sweep").update(started_at=timezone.now() - LONG_AGO)

    @precondition(lambda self: self.shifts)
    @rule(alive=st.booleans())
    def they_are_taken_for_dead_and_others_do_their_work(self, alive):
        self.leases_run_out(alive)
        self.sweep()
        for chunk_id in Chunk.objects.unclaimed().values_list("pk", flat=True):
            chunks.work(find("poke"), chunk_id)

    @rule(pick=PICK, charge=st.booleans())
    def the_main_process_frees(self, pick, charge):
        give_back.lost(self.chunk(pick), charge=charge)

    @rule()
    def sweep(self):
        Chunk.objects.update(published_at=None)
        sweep()

    @rule()
    def retries_come_due(self):
        RunItem.objects.filter(state=State.RETRY).update(due_at=timezone.now() - LONG_AGO)
        sweep()

    @rule(pick=PICK, text=st.sampled_from(["back", "other"]))
    def somebody_edits(self, pick, text):
        if ids := list(Probe.objects.order_by("pk").values_list("pk", flat=True)):
            Probe.objects.filter(pk=ids[pick % len(ids)]).update(text=text)

    @rule(pick=PICK)
    def somebody_deletes(self, pick):
        if ids := list(Probe.objects.order_by("pk").values_list("pk", flat=True)[1:]):
            Probe.objects.filter(pk=ids[pick % len(ids)], effects=0).delete()

    @rule()
    def cancel(self):
        operations.cancel(self.run, "somebody")

    @rule()
    def the_doctor_looks(self):
        assert measure(repair=True).total == 0

    @invariant()
    def nothing_is_done_twice(self):
        for item in RunItem.objects.filter(run=self.run):
            if item.state in (State.SUCCESS, State.FAILURE, State.REVOKED):
                told = (item.state, item.outcome, item.error, item.finished_at)
                assert self.reference.setdefault(item.record_id, told) == told
        effects = dict(Probe.objects.values_list("pk", "effects"))
        succeeded = set(RunItem.objects.filter(state=State.SUCCESS).values_list("record_id", flat=True))
        assert {pk for pk, number in effects.items() if number} <= succeeded
        assert set(effects.values()) <= {0, 1}

    def teardown(self):
        """Left alone with beat and a worker, every item ends, and all four accounts say the same."""
        if not hasattr(self, "run"):
            return
        self.shifts.clear()
        for _ in range(60):
            self.leases_run_out(alive=False)
            self.retries_come_due()
            for pk in Chunk.objects.unclaimed().values_list("pk", flat=True):
                chunks.work(find("poke"), pk)
            self.run.refresh_from_db()
            if self.run.is_finished:
                break
        self.nothing_is_done_twice()
        items = dict(self.run.items.values_list("record_id", "state"))
        assert self.run.is_finished, items
        rows = dict(TaskResult.objects.values_list("task_id", "status"))
        assert rows == {self.run.item_task_id(pk): state for pk, state in items.items()}
        counted = [list(items.values()).count(state) for state in (State.SUCCESS, State.FAILURE, State.REVOKED)]
        assert counted == [self.run.succeeded, self.run.failed, self.run.revoked]
        assert sum(counted) == self.run.total
        assert not RunItem.objects.filter(active=True).exists()
        assert sum(Probe.objects.values_list("effects", flat=True)) == counted[0]
        redis = {task_id: current_app.backend._get_task_meta_for(task_id)["status"] for task_id in rows}
        assert redis == rows


@pytest.mark.django_db(transaction=True)
def test_any_order_of_events_ends_every_item_once():
    bounded = settings(
        max_examples=tries(60), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
        database=None, print_blob=False,
    )  # fmt: skip
    run_state_machine_as_test(LifeOfAnItem, settings=bounded)
    assert Run.objects.count() <= 1
