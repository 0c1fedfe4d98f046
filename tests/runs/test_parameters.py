"""What a record task asks for reaches its function, cleaned anew each time, and what a form refuses reaches nobody."""

import datetime
import re
from pathlib import Path

import pytest
from celery import current_app
from django import forms
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.results.models import Activity
from backoffice.runs import parameters
from backoffice.runs.engine import broker
from backoffice.runs.models import Run
from backoffice.runs.seam import BadParameters, State, retry, start
from backoffice.runs.start import activate
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.probe import tasks
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = Path(__file__).resolve().parent.parent.parent / "docs/your-own-model.md"


def results() -> list[str]:
    return list(Probe.objects.order_by("pk").values_list("result", flat=True))


def say(**given) -> Run:
    return start(Probe.objects.order_by("pk"), "say", parameters=given)


WHEN = datetime.datetime(2030, 1, 2, 3, 4, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("given", "kept", "said"),
    [
        ({"word": "a"}, {"word": "a"}, "a"),
        ({"word": "a", "times": 2}, {"word": "a", "times": "2"}, "aa"),
        ({"word": "a", "times": None}, {"word": "a"}, "a"),
        ({"word": "a", "loud": True}, {"word": "a", "loud": "True"}, "A"),
        ({"word": "a", "loud": False}, {"word": "a", "loud": "False"}, "a"),
        ({"word": "a", "loud": "on"}, {"word": "a", "loud": "on"}, "A"),
        ({"word": "a", "ends": ["!", "?"]}, {"word": "a", "ends": ["!", "?"]}, "a!?"),
        ({"word": "a", "ends": "!"}, {"word": "a", "ends": "!"}, "a!"),
        ({"word": "a", "when": WHEN}, {"word": "a", "when_0": "2030-01-02", "when_1": "03:04:00"}, "a"),
    ],
)
def test_values_are_kept_as_submitted_and_the_function_gets_them_cleaned(given, kept, said):
    probes(3)
    run = work_off(say(**given))
    assert run.parameters == kept
    assert (run.state, results()) == (State.SUCCESS, [said] * 3)
    assert work_off(start(probes(1)[0].__class__.objects.all(), "say", parameters=run.parameters)).parameters == kept


def test_a_row_that_a_form_chooses_is_read_again_when_it_is_used():
    probes(1)
    group = Group.objects.create(name="old")
    run = say(word="a", group=group)
    Group.objects.update(name="new")
    work_off(run)
    assert (run.parameters["group"], results()) == (str(group.pk), ["anew"])


def test_the_form_is_asked_once_for_a_chunk_and_not_for_each_record():
    probes(8)
    run = say(word="a", group=Group.objects.create(name="g"))
    with CaptureQueriesContext(connection) as asked:
        work_off(run)
    assert len([query for query in asked if 'FROM "auth_group"' in query["sql"]]) <= 4
    assert results() == ["ag"] * 8


BAD = [
    ({}, "Word: This field is required."),
    ({"word": "a", "times": "many"}, "Times: Enter a whole number."),
    ({"word": "a", "times": 4}, "Times: Ensure this value is less than or equal to 3."),
    ({"word": "a", "group": 7}, "Group: Select a valid choice."),
    ({"word": "secret"}, "Nobody says that."),
    ({"word": "a", "wrod": 1}, "has no parameter wrod. Its parameters: word, times, loud, ends, group, when."),
    ({"word": "\udce4"}, "word: this text has characters that cannot be stored."),
    ({"word": "a\x00"}, "word: this text has characters that cannot be stored."),
    ({"word": "a" * 100_001}, "longer than 100,000 characters"),
]


@pytest.mark.parametrize(("given", "told"), BAD)
def test_what_the_form_refuses_starts_nothing(given, told):
    probes(1)
    with pytest.raises(BadParameters) as refused:
        say(**given)
    assert told in str(refused.value)
    with pytest.raises(ValueError, match=r"."):
        tasks.say.delay(1, **given)
    with pytest.raises(ValueError, match=r"."):
        tasks.say(Probe.objects.get().pk, **given)
    assert (Run.objects.count(), results()) == (0, [""])


def test_errors_are_there_by_field_too():
    probes(1)
    with pytest.raises(BadParameters) as refused:
        say(times="many")
    assert set(refused.value.errors) == {"word", "times"}


def test_a_task_without_a_form_takes_none():
    probes(1)
    with pytest.raises(BadParameters, match="poke has no parameter a. Its parameters: none"):
        start(Probe.objects.all(), "poke", parameters={"a": 1})
    with pytest.raises(TypeError):
        tasks.poke.delay(1, a=1)


def test_a_form_that_refuses_in_the_worker_cancels_the_run_before_its_next_record():
    probes(6)
    group = Group.objects.create(name="g")
    run = say(word="a", group=group)
    Group.objects.all().delete()
    work_off(run)
    sweep()
    run.refresh_from_db()
    assert "Group: Select a valid choice." in run.cancel_reason
    assert (run.state, run.revoked, run.cancelled_by, results()) == (State.REVOKED, 6, "system", [""] * 6)
    assert "Select a valid choice" in run.items.order_by("record_id")[0].error


def test_of_two_workers_whose_form_refuses_both_stop_and_the_first_ones_sentence_stays():
    probes(4)
    run = say(word="a")
    one, other = Run.objects.get(pk=run.pk), Run.objects.get(pk=run.pk)
    broker.call_off(one, "first")
    broker.call_off(other, "second")
    assert (other.cancelled_at, other.cancel_reason) == (Run.objects.get().cancelled_at, "first")
    assert Activity.objects.filter(verb="run.cancelled").count() == 1


def test_a_form_that_fails_itself_cancels_the_run_with_its_error(monkeypatch):
    probes(2)
    run = say(word="a")
    monkeypatch.setattr(tasks.Wording, "clean", lambda self: 1 / 0)
    work_off(run)
    sweep()
    run.refresh_from_db()
    assert run.state == State.REVOKED
    assert run.cancel_reason.endswith("ZeroDivisionError: division by zero")


def test_a_run_whose_time_comes_is_cancelled_where_its_form_refuses_by_then():
    probes(1)
    group = Group.objects.create(name="g")
    due = timezone.now() + datetime.timedelta(hours=1)
    run = start(Probe.objects.all(), "say", parameters={"word": "a", "group": group}, due_at=due)
    Group.objects.all().delete()
    assert activate(run.pk) is False
    run.refresh_from_db()
    assert "Group: Select a valid choice." in run.cancel_reason


def test_a_retry_has_the_parameters_of_its_run():
    probes(1, behaviour="fine")
    run = work_off(say(word="a", times=2))
    run.items.update(state=State.FAILURE)
    Run.objects.update(failed=1)
    again = work_off(retry(run, "anna"))
    assert (again.parameters, again.state) == ({"word": "a", "times": "2"}, State.SUCCESS)


def test_a_plain_call_gets_them_as_keywords():
    probe = probes(1)[0]
    assert tasks.say(probe.pk, word="b", times=2) == f"Processed instance {probe.pk}"
    assert tasks.say.apply((probe.pk,), {"word": "b", "loud": True}).get()
    assert results() == ["B"]


def test_what_pages_say_has_labels_and_words():
    group = Group.objects.create(name="readers")
    kept = {"word": "a", "loud": "on", "ends": ["!", "?"], "group": str(group.pk), "gone": "x"}
    said = dict(parameters.words(tasks.say, kept))
    assert said == {
        "Word": "a", "Times": "–", "Loud": "yes", "Ends": "shout, ask", "Group": "readers", "When": "–", "gone": "x",
    }  # fmt: skip
    Group.objects.all().delete()
    assert dict(parameters.words(tasks.say, kept))["Group"] == str(group.pk)


def test_a_sensitive_one_is_masked_where_it_is_shown(monkeypatch):
    monkeypatch.setattr(tasks.say, "sensitive_args", ("word",))
    assert dict(parameters.words(tasks.say, {"word": "a"}))["Word"] == "********"
    assert parameters.shown("tests.probe.tasks.say", {"word": "a"}) == {"word": "********"}


class WithFile(forms.Form):
    sheet = forms.FileField()


class WithImage(forms.Form):
    word = forms.ImageField()


class WithId(forms.Form):
    instance_id = forms.IntegerField()


WithSelf = type("WithSelf", (forms.Form,), {"self": forms.CharField()})


class Less(forms.Form):
    word = forms.CharField()


class More(tasks.Wording):
    other = forms.CharField()


@pytest.mark.parametrize(
    ("form", "number", "told"),
    [
        (dict, "runs.E018", "which is no form"),
        ("Wording", "runs.E018", "which is no form"),
        (tasks.Wording(), "runs.E018", "which is no form"),
        (WithFile, "runs.E019", "asks for a file by WithFile.sheet"),
        (WithImage, "runs.E019", "asks for a file by WithImage.word"),
        (WithId, "runs.E020", "'instance_id' is what the task itself takes"),
        (WithSelf, "runs.E020", "'self' is what the task itself takes"),
        (Less, "runs.E020", "missing a required argument"),
        (More, "runs.E020", "got an unexpected keyword argument 'other'"),
    ],
)
def test_a_form_that_does_not_fit_is_named_at_start(monkeypatch, form, number, told):
    monkeypatch.setattr(tasks.say, "parameters", form)
    found = [message.msg for message in run_checks(tags=["runs"]) if message.id == number]
    assert told in found[0]


def test_so_is_a_form_for_a_function_that_takes_none(monkeypatch):
    monkeypatch.setattr(tasks.poke, "parameters", Less)
    assert [message for message in run_checks(tags=["runs"]) if message.id == "runs.E020"]
    assert not [m for m in run_checks(tags=["runs"]) if m.id in ("runs.E018", "runs.E019")]


@pytest.fixture
def raise_net():
    """The task that docs/your-own-model.md prints, for the invoices of the tests."""
    printed = re.search(r"```python\n# invoices/tasks.py, with a form\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    module = {"__name__": "tests.second.asked"}
    exec(printed.replace("from .models", "from tests.second.models").replace('"invoices.', '"second.'), module)
    yield module["raise_net"]
    del current_app.tasks[module["raise_net"].name]


def test_the_page_about_your_own_model_prints_what_works(raise_net):
    cheap, dear = (Invoice.objects.create(number=n, net=net) for n, net in (("1", 100), ("2", 900)))
    told = {"percent": 5, "only_below": "500"}
    run = work_off(start(Invoice.objects.all(), raise_net, parameters=told, reason="Contract of May"))
    assert (run.state, run.parameters) == (State.SUCCESS, {"percent": "5", "only_below": "500"})
    assert [Invoice.objects.get(pk=each.pk).net for each in (cheap, dear)] == [105, 900]
    with pytest.raises(ValueError, match="say why"):
        start(Invoice.objects.all(), raise_net, parameters=told)
    with pytest.raises(BadParameters, match="Percent: Ensure this value is less than or equal to 20."):
        start(Invoice.objects.all(), raise_net, parameters={"percent": 21}, reason="Contract of May")
    assert [m.msg for m in run_checks(tags=["runs"]) if "raise_net" in m.msg] == []
