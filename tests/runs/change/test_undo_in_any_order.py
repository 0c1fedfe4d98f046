"""Edits, runs and undos in any order: no later edit is lost, an undo of an undo is a redo, and no record is called
processed whose outcome is not of its inputs."""

import contextlib
from itertools import count

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backoffice.runs.models import ChangeSet, Run
from backoffice.runs.operations import undo
from backoffice.runs.pages import record_log
from backoffice.runs.registry import find
from backoffice.runs.start import EmptySelection, start
from backoffice.testing import work_off
from records.checks import check_partner, verdict_of
from records.models import YourModel
from tests.factories import record
from tests.properties import tries

pytestmark = pytest.mark.django_db(transaction=True)
RECORDS = st.integers(0, 1)
# Of these some are corrected by apply_corrections, some are not.
VALUES = {
    "country": ["Deutschland", "DE", "Atlantis"],
    "website": ["EXAMPLE.org", "https://example.org"],
    "town": ["B"],
}
_numbers = count(1)


def state_of(pk: int) -> dict | None:
    return YourModel._base_manager.filter(pk=pk).values().first()


class Histories(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        Run.objects.all().delete()
        YourModel.objects.all().delete()
        ChangeSet.objects.all().delete()
        self.pks = [record(country="Deutschland", website="EXAMPLE.org").pk for _ in range(2)]
        self.step, self.edits, self.runs = 0, [], []  # edits: (step, pk, field); runs: (step, run)

    @rule(which=RECORDS, field=st.sampled_from(sorted(VALUES)), number=st.integers(0, 2), direct=st.booleans())
    def edit(self, which, field, number, direct):
        """By the form, or by a program that knows what it owes the record."""
        values = VALUES[field]
        value = values[number] if number < len(values) else f"{field} {next(_numbers)}"
        changes = {field: value}
        with transaction.atomic():
            row = YourModel.objects.select_for_update().filter(pk=self.pks[which]).first()
            if row is None or getattr(row, field) == value:
                return
            if direct:
                YourModel.objects.filter(pk=row.pk).update(**changes, processed=False)
            else:
                setattr(row, field, value)
                record_log.save("somebody", row)
        self.step += 1
        self.edits.append((self.step, row.pk, field))

    @rule(task=st.sampled_from(["process_model_instance", "process_model_instance", "apply_corrections"]))
    def run(self, task):
        with contextlib.suppress(EmptySelection):
            self.done(work_off(start(YourModel.objects.all(), task)))

    @rule(which=RECORDS)
    def call(self, which):
        find("process_model_instance")(self.pks[which])
        self.step += 1

    def done(self, run):
        assert not run.failed
        self.step += 1
        self.runs.append((self.step, run))

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def undo_one(self, data):
        at, run = data.draw(st.sampled_from(self.runs))
        before = {pk: state_of(pk) for pk in self.pks}
        if (again := self.undone(run)) is None:
            return
        for pk in filter(before.get, self.pks):
            now = state_of(pk)
            changed = {name for name, value in now.items() if before[pk][name] != value}
            lost = [edit for edit in self.edits if edit[0] > at and edit[1] == pk and edit[2] in changed]
            assert not lost
        if data.draw(st.booleans()):
            self.undone(again)
            assert {pk: state_of(pk) for pk in self.pks} == before

    def undone(self, run):
        try:
            again = work_off(undo(run, "somebody"))
        except EmptySelection:
            return None
        assert again.total == again.succeeded + again.conflicts
        self.done(again)
        return again

    @rule(which=RECORDS)
    def delete(self, which):
        if which and self.step > 6:
            YourModel.objects.filter(pk=self.pks[which]).delete()

    @invariant()
    def nobody_is_called_processed_who_is_not(self):
        for row in YourModel.objects.filter(processed=True):
            inputs = {field: getattr(row, field) for field in YourModel.INPUTS}
            normalised, issues = check_partner(inputs)
            assert (row.normalised, row.verdict) == (normalised, verdict_of(issues)), inputs
            assert row.processed_at is not None


def test_in_any_order():
    few = settings(max_examples=tries(25), stateful_step_count=14, deadline=None)
    run_state_machine_as_test(Histories, settings=few)
