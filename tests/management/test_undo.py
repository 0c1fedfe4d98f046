import json

import pytest
from django.core.management import CommandError, call_command

from backoffice.runs.models import Run
from backoffice.testing import work_off
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


def last_line(capsys) -> dict:
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_it_waits_and_tells_what_was_set_back_and_left_alone_and_that_is_no_failure(capsys):
    moved, *_others = probes(5)
    run = work_off(poke_all())
    Probe.objects.filter(pk=moved.pk).update(result="by hand")
    with running_worker():
        call_command("undo", str(run.pk), "--reason", "a wrong button", "--wait", "--json")
    told = last_line(capsys)
    assert list(told) == ["run", "total", "succeeded", "failed", "skipped", "seconds", "changed", "conflicts"]
    assert [told[name] for name in ("total", "succeeded", "failed", "changed", "conflicts")] == [5, 4, 0, 4, 1]
    again = Run.objects.get(pk=told["run"])
    assert (again.undoes_id, again.reason, again.source) == (run.pk, "a wrong button", "command")


def test_it_undoes_single_records(capsys):
    first, second, third = probes(3)
    run = work_off(poke_all())
    call_command("undo", str(run.pk), "--record", str(first.pk), str(third.pk), "--json")
    assert last_line(capsys)["total"] == 2
    work_off(Run.objects.get(undoes=run))
    assert list(Probe.objects.order_by("pk").values_list("result", flat=True)) == ["", "PROBE 1", ""]
    assert second


@pytest.mark.parametrize(
    ("number", "said"), [(0, "There is no run 1000"), (1, "has not ended: cancel it, then undo it")]
)
def test_what_cannot_be_undone_is_a_sentence_and_exit_2(number, said):
    probes(1)
    run = poke_all()
    with pytest.raises(CommandError, match=said) as refused:
        call_command("undo", str(run.pk if number else 1000))
    assert refused.value.returncode == 2
