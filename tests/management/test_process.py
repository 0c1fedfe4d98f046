import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backoffice.runs.models import Run, RunItem
from tests.probe.models import Kinds, Probe
from tests.runs.factories import probes
from tests.workers import running_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

POKE = ("probe.Probe", "--task", "poke")


def process(*arguments: str) -> None:
    call_command("process", *arguments)


def last_line(capsys) -> dict:
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_it_starts_a_run_over_what_matches(capsys):
    probes(3)
    probes(2, behaviour="slow")
    process(*POKE, "--filter", "behaviour=slow", "processed=false", "--json")
    told = last_line(capsys)
    assert (told["total"], told["succeeded"], told["skipped"]) == (2, 0, 0)
    assert Run.objects.get(pk=told["run"]).source == "command"


def test_a_filter_takes_days_that_move_as_a_schedule_s_does(capsys):
    for days in (0, 3, 9):
        Kinds.objects.create(
            when=timezone.now() - timedelta(days=days), day=timezone.localdate() - timedelta(days=days)
        )
    for filters, found in ((["when__gte=today-7"], 2), (["day__lt=today"], 2), (["day=today-9"], 1)):
        process("probe.Kinds", "--task", "fill_kinds", "--filter", *filters, "--json")
        assert last_line(capsys)["total"] == found
        RunItem.objects.all().delete()  # or they would be in an active run


def test_it_waits_tells_the_counts_and_exits_1_when_some_failed(capsys):
    probes(5)
    with running_worker():
        process(*POKE, "--wait", "--json")
        told = last_line(capsys)
        assert list(told) == ["run", "total", "succeeded", "failed", "skipped", "seconds"]
        assert (told["total"], told["succeeded"], told["failed"]) == (5, 5, 0)
        probes(1, behaviour="fail")
        with pytest.raises(SystemExit) as stopped:
            process(*POKE, "--wait", "--json")
    assert stopped.value.code == 1
    assert last_line(capsys)["failed"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("probe.Nope",), "There is no model 'probe.Nope'. Models with record tasks:"),
        (("nonsense",), "There is no model 'nonsense'."),
        (
            ("shipping.Shipment",),
            "More than one record task works on shipping.Shipment. Choose by --task one of: charge,",
        ),
        (("probe.Probe",), "one of: poke, poke_and_tell, poke_briefly, poke_within_a_minute, say, shout."),
        (("auth.User",), "No record task works on auth.User."),
        ((*POKE, "--filter", "colour=red"), "probe.Probe has no field 'colour'. Fields: id,"),
        ((*POKE, "--filter", "text"), "is not of the form field=value"),
        ((*POKE, "--filter", "processed=perhaps"), "write true or false"),
        (("probe.Kinds", "--task", "fill_kinds", "--filter", "when=today"), "say from a day with “when__gte”"),
        (
            ("probe.Kinds", "--task", "fill_kinds", "--filter", "day=yesterday"),
            "write one such as 2030-12-31, or one that",
        ),
        ((*POKE, "--filter", "effects=many"), "--filter 'effects=many'"),
        (
            ("probe.Probe", "--task", "dance"),
            "There is no record task 'dance' for probe.Probe. Choose by --task one of: poke, poke_and_tell,",
        ),
    ],
)
def test_bad_usage_is_a_sentence_and_exit_2(arguments, sentence):
    with pytest.raises(CommandError) as refused:
        process(*arguments)
    assert sentence in str(refused.value)
    assert refused.value.returncode == 2
    assert not Run.objects.exists()


def test_nothing_to_do_is_said_and_no_failure(capsys):
    process(*POKE, "--json")
    said = capsys.readouterr()
    assert "nothing to do" in said.err
    assert json.loads(said.out)["run"] is None
    assert not Probe.objects.exists()
