"""Who may undo what: the permission, the task's own, and only runs that one may see."""

import pytest
from django.core.exceptions import PermissionDenied

from backoffice.runs.access import may_undo, undo_refusal
from backoffice.runs.operations import cancel, retry, undo
from backoffice.runs.start import start
from backoffice.testing import work_off
from tests.factories import member, user
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = pytest.mark.django_db(transaction=True)
TASK, UNDO, SEE = "probe.change_probe", "runs.undo_run", "runs.view_run"

# What one has, whose run it is, and what is said to who may not.
WHO = {
    "own": ((TASK, UNDO), True, ""),
    "own, without the permission": ((TASK,), True, "that takes the permission “runs.undo_run”"),
    "own, and may not start the task": ((UNDO,), True, "takes the permission to start “Poke”"),
    "another's, unseen": ((TASK, UNDO), False, "may not see run"),
    "another's, seen": ((TASK, UNDO, SEE), False, ""),
    "another's, seen, without": ((TASK, SEE), False, "that takes the permission “runs.undo_run”"),
}


@pytest.mark.parametrize("who", WHO)
def test_who_may(who):
    rights, own, said = WHO[who]
    somebody = user(*rights)
    starter = user(TASK)
    probes(1)
    run = work_off(start(Probe.objects.all(), "poke", by=starter))
    if own:
        type(run).objects.filter(pk=run.pk).update(requester=somebody)
        run.refresh_from_db()
    assert may_undo(somebody, run) is not bool(said)
    if said:
        assert said in undo_refusal(somebody, run)
        with pytest.raises(PermissionDenied, match=said[:20]):
            undo(run, somebody)
    else:
        assert work_off(undo(run, somebody)).requester == somebody


OTHERS = {
    cancel: ("runs.cancel_run", "has not the permission “runs.cancel_run”"),
    retry: ("runs.retry_run", "has not the permission “runs.retry_run”"),
}


@pytest.mark.parametrize("operation", OTHERS, ids=lambda each: each.__name__)
def test_who_may_not_cancel_or_retry_on_a_page_may_not_from_code(operation):
    """Nor is somebody told that there was nothing to do."""
    permission, said = OTHERS[operation]
    probes(1, behaviour="fail")
    run = work_off(start(Probe.objects.all(), "poke", by=user(TASK)))
    tries = {"unseen": ((TASK, permission), "may not see run"), "without": ((TASK, SEE), said)}
    for rights, refusal in tries.values():
        with pytest.raises(PermissionDenied, match=refusal):
            operation(run, user(*rights))
    if operation is retry:
        with pytest.raises(PermissionDenied, match="may not start “Poke” again"):
            retry(run, user(SEE, permission))
    for by in (user(TASK, SEE, permission), run.requester, "a program"):
        made = operation(run, by)
        if operation is retry:
            work_off(made)


def test_operators_undo_their_own_runs_and_auditors_none():
    assert member("Operator").has_perm(UNDO)
    assert not member("Auditor").has_perm(UNDO)
