"""A form of parameters may name the fields that a run writes: no other is written."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backoffice.runs.seam import State, start
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_that_chooses_what_is_written_leaves_the_rest_alone():
    first = probes(2)[0]
    Probe.objects.update(text="a", result="b")
    asked = {"parameters": {"fields_": ["text"]}}
    with CaptureQueriesContext(connection) as queries:
        run = work_off(start(Probe.objects.all(), "shout", **asked))
    assert run.state == State.SUCCESS
    assert set(Probe.objects.values_list("text", "result")) == {("A", "b")}
    written = [query["sql"] for query in queries if 'UPDATE "probe_probe"' in query["sql"]]
    assert written
    assert all('"result" =' not in sql and '"text" =' in sql for sql in written)
    Probe.objects.update(text="c")
    tasks.shout(first.pk, fields_=["result"])
    first.refresh_from_db()
    assert (first.text, first.result) == ("c", "B")


def test_what_a_form_has_not_chosen_counts_as_undeclared_and_what_no_task_declares_ends_the_run():
    probes(2, behaviour="more")
    run = work_off(start(Probe.objects.all(), "shout", parameters={"fields_": ["text"]}))
    assert (run.state, run.failed) == (State.FAILURE, 2)
    assert "result" in next(run.outcomes()).error
    run = work_off(start(Probe.objects.all(), "shout", parameters={"fields_": ["text", "effects"]}))
    sweep()
    run.refresh_from_db()
    assert (run.state, run.revoked) == (State.REVOKED, 2)
    assert "effects" in run.cancel_reason
