"""Parameters on their way through messages and real workers."""

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from backoffice.runs.seam import State, start
from backoffice.testing import worker
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_runs_and_plain_calls_get_them_and_a_refusal_ends_a_run_by_itself():
    first = probes(40)[0]
    group = Group.objects.create(name="g")
    with worker():
        run = start(Probe.objects.all(), "say", parameters={"word": "a", "group": group}).wait(30)
        assert (run.state, run.succeeded, set(Probe.objects.values_list("result", flat=True))) == (
            State.SUCCESS, 40, {"ag"},
        )  # fmt: skip
        assert tasks.say.delay(first.pk, word="b", loud=True, group=group).get(timeout=20)
        assert Probe.objects.get(pk=first.pk).result == "BG"
        Probe.objects.update(result="")
        with transaction.atomic():
            refused = start(Probe.objects.all(), "say", parameters={"word": "a", "group": group})
            group.delete()  # between the click and the first record
        refused.wait(30)
    assert (refused.state, refused.revoked) == (State.REVOKED, 40)
    assert "Group: Select a valid choice." in refused.cancel_reason
    assert not Probe.objects.exclude(result="").exists()
