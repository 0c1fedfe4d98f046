"""What the ledger writes of an item into TaskResult."""

import pytest

from backoffice.results import rows
from backoffice.runs.engine import ledger
from backoffice.runs.models import Run, State, TaskName


@pytest.mark.parametrize(
    "outcome", ["", "valid: phone.form", 'a "quoted" \\ line\n\x00', "\u00e9 \U0001f600", "\udce4"]
)
def test_what_the_ledger_writes_as_json_by_itself_is_what_the_encoder_writes(outcome):
    run = Run(pk=7, task=TaskName(name="any"))
    transition = ledger.Transition(3, State.SUCCESS, outcome=outcome)
    ledger.add_rows(run, [transition], "")
    row = dict(zip(rows.FIELDS, transition.row, strict=True))
    assert row["meta"] == rows.dumps({"children": [], "run": 7, "outcome": outcome})
    assert row["task_args"] == rows.dumps([3])
