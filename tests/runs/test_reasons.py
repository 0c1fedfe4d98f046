"""Why somebody started a run is asked where the task or the settings say so, and told wherever the run is."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.audit import evidence
from backoffice.results.models import Activity
from backoffice.runs.failing import dismissing
from backoffice.runs.forms import reason
from backoffice.runs.models import Run
from backoffice.runs.pages import timeline
from backoffice.runs.seam import State, retry, start, undo
from backoffice.testing import work_off
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.factories import probes

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Audit finding 7: <b>totals</b>"


@pytest.fixture
def required(monkeypatch):
    monkeypatch.setattr(tasks.poke, "reason", "required")


def test_where_a_reason_is_required_nothing_starts_without_one(required):
    probes(1)
    later = timezone.now() + timedelta(hours=1)
    for given in ({}, {"reason": " \t"}, {"due_at": later}):
        with pytest.raises(ValueError, match="“Poke” is started with a reason: say why."):
            start(Probe.objects.all(), "poke", **given)
    assert start(Probe.objects.all(), "poke", reason=WHY).reason == WHY


@pytest.mark.parametrize(("setting", "own", "asked"), [
    ("", "", ""), ("required", "", "required"), ("required", "optional", "optional"), ("optional", "", "optional"),
])  # fmt: skip
def test_the_settings_say_it_for_tasks_that_do_not(settings, monkeypatch, setting, own, asked):
    settings.RUNS_REASON = setting
    monkeypatch.setattr(tasks.poke, "reason", own)
    assert tasks.poke.asked_reason == asked


def test_another_word_is_named_at_start(settings, monkeypatch):
    settings.RUNS_REASON = "yes"
    monkeypatch.setattr(tasks.poke, "reason", "always")
    told = [message.msg for message in run_checks(tags=["runs"]) if message.id == "runs.E021"]
    assert told == ["tests.probe.tasks.poke has the reason 'always'.", "The setting RUNS_REASON is 'yes'."]


def test_it_is_told_on_the_page_the_timeline_in_evidence_and_in_the_log(required, admin_client, admin_user):
    probe = probes(1)[0]
    run = work_off(start(Probe.objects.all(), "poke", reason=WHY))
    page = admin_client.get(reverse("admin:runs_run_change", args=[run.pk])).content.decode()
    assert "Audit finding 7: &lt;b&gt;totals" in page
    entry = timeline.of_record(Probe, probe.pk, admin_user).entries[0]
    assert entry.reason == WHY
    pack = zipfile.ZipFile(io.BytesIO(b"".join(evidence.pack(run, "anna"))))
    assert json.loads(pack.read("manifest.json"))["reason"] == WHY
    assert Activity.objects.get(verb="run.started").details["reason"] == WHY


def test_runs_are_found_by_it(admin_client):
    probes(2)
    first, second = Probe.objects.values_list("pk", flat=True)
    start([first], "poke", reason=WHY)
    start([second], "poke", reason="another")
    answer = admin_client.get(reverse("admin:runs_run_changelist"), {"q": "finding 7"})
    assert [run.reason for run in answer.context_data["cl"].result_list] == [WHY]


@pytest.mark.parametrize("door", ["start", "undo", "command", "dismissal"])
def test_one_that_is_too_long_is_refused_at_every_door(door, admin_user):
    probe, long = probes(1)[0], "x" * (reason.LONGEST + 1)
    run = work_off(start(Probe.objects.all(), "poke", reason=" " + "x" * reason.LONGEST))
    doors = {
        "start": lambda: start(Probe.objects.all(), "poke", reason=long),
        "undo": lambda: undo(run, "somebody", reason=long),
        "command": lambda: call_command("process", "probe.Probe", "--task", "poke", "--reason", long),
        "dismissal": lambda: dismissing.dismiss({run: [probe.pk]}, admin_user, long),
    }
    with pytest.raises((ValueError, CommandError), match="has 1,001 characters: say it in 1,000 at most"):
        doors[door]()


def test_a_retry_has_the_reason_of_its_run(required):
    probes(1, behaviour="fail")
    run = work_off(start(Probe.objects.all(), "poke", reason=WHY))
    assert retry(run, "anna").reason == WHY


def test_parameters_are_told_there_too_and_a_sensitive_one_is_not(monkeypatch, admin_client):
    probes(1)
    run = work_off(start(Probe.objects.all(), "say", parameters={"word": "Zebra", "times": 2}))
    page = reverse("admin:runs_run_change", args=[run.pk])
    for hidden, shown in (((), True), (("word",), False)):
        monkeypatch.setattr(tasks.say, "sensitive_args", hidden)
        pack = zipfile.ZipFile(io.BytesIO(b"".join(evidence.pack(run, "anna"))))
        kept = json.loads(pack.read("manifest.json"))["parameters"]
        assert (kept["word"] == "Zebra", kept["times"]) == (shown, "2")
        facts = admin_client.get(page).content.decode().partition('<section class="bo-card" id="items"')[0]
        assert ("<dt>Word</dt><dd>Zebra</dd>" in facts) is shown
        assert "<dt>Times</dt><dd>2</dd>" in facts


def process(*given: str) -> Run:
    call_command("process", "probe.Probe", "--task", *given, stderr=io.StringIO(), stdout=io.StringIO())
    return Run.objects.latest("pk")


def test_a_command_gives_reason_and_parameters(required):
    probes(1)
    assert process("poke", "--reason", WHY).reason == WHY
    with pytest.raises(CommandError, match="say why") as refused:
        process("poke")
    assert refused.value.returncode == 2
    run = work_off(process("say", "--set", "word=a", "times=2", "--set", "ends=!", "ends=?"))
    assert (run.parameters, run.state) == ({"word": "a", "times": "2", "ends": ["!", "?"]}, State.SUCCESS)
    assert Probe.objects.get().result == "aa!?"


@pytest.mark.parametrize(("given", "told"), [
    (["--set", "word=a", "times=many"], "Times: Enter a whole number."),
    ([], "Word: This field is required."),
    (["--set", "word"], "--set 'word' is not of the form name=value."),
    (["--set", "wrod=a"], "has no parameter wrod."),
])  # fmt: skip
def test_what_is_wrong_with_them_is_told_and_ends_with_2(given, told):
    probes(1)
    with pytest.raises(CommandError) as refused:
        process("say", *given)
    assert (refused.value.returncode, told in str(refused.value), Run.objects.count()) == (2, True, 0)
