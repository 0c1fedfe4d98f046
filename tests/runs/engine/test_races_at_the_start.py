"""A run whose time comes beside a click, and runs that cannot go on beside those that can."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.runs import start as starting
from backoffice.runs import sweep
from backoffice.runs.models import Run, RunItem, State
from backoffice.testing import work_off
from tests.runs.factories import poke_all, probes
from tests.runs.races import begun, held, wait_until_locked

pytestmark = pytest.mark.django_db(transaction=True)


def due(number=1):
    runs = [poke_all(due_at=timezone.now() + timedelta(hours=1)) for _ in range(number)]
    Run.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    return runs


def test_a_run_whose_time_comes_while_a_click_takes_its_records_starts_without_them():
    probes(3)
    (planned,) = due()
    with (
        held(poke_all, starting.activity, "log") as click,  # its items are written, and not committed
        begun(lambda: starting.activate(planned.pk)) as activation,
    ):
        wait_until_locked(activation)
        clicked = click.finish()
        assert activation.result()
    planned.refresh_from_db()
    assert (planned.total, planned.skipped, planned.is_finished) == (0, 3, True)
    assert planned.skip_reasons == {"busy": 3}
    assert work_off(clicked).succeeded == 3


def test_of_two_runs_due_at_once_over_the_same_records_one_gets_them():
    probes(3)
    first, second = due(2)
    with held(lambda: starting.activate(first.pk), starting, "_send") as one, begun(sweep.start_due) as other:
        wait_until_locked(other)
        one.finish()
    assert work_off(first).succeeded == 3
    second.refresh_from_db()
    assert (second.total, second.skipped, second.is_finished) == (0, 3, True)


def test_a_run_that_cannot_be_started_holds_no_other_up_and_is_heard_of():
    probes(2)
    sound, broken = due(2)  # the newest comes first
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs_run SET skip_reasons = '[]' WHERE id = %s", [broken.pk])
    RunItem.objects.filter(run_id=broken.pk).delete()
    with pytest.raises(TypeError):
        sweep.sweep()
    broken.refresh_from_db()
    assert (broken.state, broken.activated_at) == (State.PENDING, None)
    assert work_off(sound).succeeded == 2
