"""What a record task asks for, asked by whoever plans it for later or on a schedule."""

import html
import json
import re

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backoffice.results.models import Activity
from backoffice.runs.models import Run
from backoffice.runs.seam import State
from backoffice.schedules.rules import permitted, words
from backoffice.schedules.rules.verify import verify
from backoffice.schedules.scheduled import start_due, start_run
from backoffice.testing import work_off
from tests.factories import user
from tests.probe import tasks
from tests.probe.admin import ProbeAdmin
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.schedules import factories
from tests.schedules.clock import in_hours
from tests.schedules.factories import SCHEDULER
from tests.schedules.pages.pages import untouched

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:probe_probe_changelist"
ADD = "admin:django_celery_beat_periodictask_add"
SAY = "tests.probe.tasks.say"
GOOD = {
    "name": "Nightly", "work": f"records:{SAY}", "selection": "q=probe", "enabled": "on", "when": "crontab",
    "crontab_text": "0 2 * * *", "zone": "UTC", "missed": "once", "overlap": "skip",
}  # fmt: skip


@pytest.fixture
def clerk(client):
    client.force_login(user(*SCHEDULER, "probe.view_probe", "probe.change_probe", username="clerk"))
    return client


def later(client, **extra):
    ids = [probe.pk for probe in Probe.objects.order_by("pk")]
    data = {"action": "say_later", "_selected_action": ids, "form_token": "t" * 32, **extra}
    return client.post(reverse(LIST), data)


def test_later_asks_for_them_on_its_page_and_the_run_has_them_when_it_is_due(clerk):
    probes(2)
    asked = later(clerk).content.decode()
    assert 'name="set-word"' in asked
    assert all(f"Probe object ({probe.pk})" in asked for probe in Probe.objects.all())
    html = later(clerk, due_at=in_hours(1), **{"set-times": "9"}).content.decode()
    assert "This field is required." in html
    assert "less than or equal to 3" in html
    assert not Run.objects.exists()
    later(clerk, due_at=in_hours(1), **{"set-word": "a", "set-times": "2"})
    run = Run.objects.get()
    start_due(run.pk)
    work_off(run)
    assert (run.parameters["word"], run.state, Probe.objects.first().result) == ("a", State.SUCCESS, "aa")


def test_later_asks_why_where_that_is_required(clerk, monkeypatch):
    monkeypatch.setattr(tasks.say, "reason", "required")
    probes(1)
    assert "Say why" in later(clerk, due_at=in_hours(1), **{"set-word": "a"}).content.decode()
    later(clerk, due_at=in_hours(1), reason="because", **{"set-word": "a"})
    assert Run.objects.get().reason == "because"


def test_other_answers_for_the_same_time_are_another_run(clerk):
    probes(1)
    at = in_hours(1)
    for word in ("a", "a", "b"):
        later(clerk, due_at=at, **{"set-word": word})
    assert [run.parameters["word"] for run in Run.objects.order_by("pk")] == ["a", "b"]


def add(client, **changes):
    """As a browser sends the form with the inputs of the task; `set_word` is the input of `word`."""
    named = {name.replace("set_", "set-"): value for name, value in changes.items() if value is not None}
    return client.post(reverse(ADD), {**GOOD, "asked_of": SAY, **named})


def change_page(schedule):
    return reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])


def stored(**parameters):
    """As a schedule of before, or code, keeps them."""
    kwargs = json.dumps({"task": SAY, "parameters": parameters})
    return factories.row("Nightly", task=permitted.START_RUN, kwargs=kwargs, crontab=factories.crontab())


def test_a_schedule_carries_them_to_each_of_its_runs(clerk):
    probes(2)
    assert add(clerk, set_word="a", set_times="2").status_code == 302
    schedule = PeriodicTask.objects.get()
    verify(schedule)
    kwargs = json.loads(schedule.kwargs)
    assert kwargs["parameters"] == {"word": "a", "times": "2"}
    assert "Word: a; Times: 2" in words.what(schedule)
    told = start_run(
        SAY, {"selection": kwargs["selection"]}, kwargs["parameters"], schedule_name="Nightly", firing_id=None
    )
    run = work_off(Run.objects.get())
    assert (told, run.parameters, run.state) == (
        f"Started run {run.pk} over 2 records.", {"word": "a", "times": "2"}, State.SUCCESS,
    )  # fmt: skip


def test_they_are_told_in_words_in_the_list_and_on_the_page(clerk):
    schedule = stored(word="a", times=2, loud=True, ends=["!"])
    listed = clerk.get(reverse("admin:django_celery_beat_periodictask_changelist")).content.decode()
    assert "Word: a; Times: 2; Loud: yes; Ends: shout" in listed
    client, reader = Client(), user("django_celery_beat.view_periodictask", username="reader")
    client.force_login(reader)
    assert "Word: a; Times: 2; Loud: yes; Ends: shout" in client.get(change_page(schedule)).content.decode()


def test_the_form_has_the_inputs_of_what_is_stored(clerk):
    html = clerk.get(change_page(stored(word="a", times=2, loud=True, ends=["!"], wrod=1))).content.decode()
    sent = untouched(html, "work")
    assert (sent["asked_of"], sent["set-word"], sent["set-times"], sent["set-loud"]) == (SAY, "a", "2", "on")
    assert sent["arguments"] == ""
    assert re.search(r'value="!"[^>]* (selected|checked)', html)


@pytest.mark.parametrize(
    "kept", [{"word": "a", "times": 2, "loud": True, "ends": ["!"]}, {"word": "a", "wrod": 1}, {"times": 9}, {}, [1]]
)
def test_saved_untouched_they_stay_as_they_are_even_if_the_form_refuses_them_today(clerk, kept):
    kwargs = json.dumps({"task": SAY, "parameters": kept})
    schedule = factories.row("Nightly", task=permitted.START_RUN, kwargs=kwargs, crontab=factories.crontab())
    sent = untouched(clerk.get(change_page(schedule)).content.decode(), "work")
    assert clerk.post(change_page(schedule), {**sent, "description": "Other"}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.kwargs, schedule.description) == (kwargs, "Other")
    assert set(Activity.objects.get(verb="schedule.changed").details["changes"]) == {"description"}


def test_what_is_changed_is_kept_and_logged_in_words(clerk):
    schedule = stored(word="a", times=2, wrod=1)
    sent = untouched(clerk.get(change_page(schedule)).content.decode(), "work")
    assert clerk.post(change_page(schedule), {**sent, "set-times": "3"}).status_code == 302
    schedule.refresh_from_db()
    assert json.loads(schedule.kwargs)["parameters"] | {"group": "", "when_0": "", "when_1": ""} == {
        "word": "a", "times": "3", "group": "", "when_0": "", "when_1": "",
    }  # fmt: skip
    before, after = Activity.objects.get(verb="schedule.changed").details["changes"]["parameters"]
    assert ("Times: 2" in before, "Times: 3" in after) == (True, True)
    assert "Times: 3" in clerk.get(change_page(schedule)).content.decode()


def test_what_nobody_may_read_is_in_no_log(clerk, monkeypatch):
    monkeypatch.setattr(tasks.say, "sensitive_args", ("word",), raising=False)
    schedule = stored(word="hidden1")
    sent = untouched(clerk.get(change_page(schedule)).content.decode(), "work")
    clerk.post(change_page(schedule), {**sent, "set-word": "hidden2", "set-times": "1"})
    assert "hidden" not in json.dumps(Activity.objects.get(verb="schedule.changed").details)
    assert "hidden" not in words.what(PeriodicTask.objects.get())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "This field is required."),
        ({"set_word": "a", "set_times": "9"}, "less than or equal to 3"),
        ({"set_word": "secret"}, "Nobody says that."),
        ({"set_word": "a", "set_group": "7"}, "Select a valid choice."),
        ({"set_word": "a", "asked_of": "tests.probe.tasks.shout"}, "This task asks for what stands here"),
        ({"set_word": "a", "asked_of": ""}, "This task asks for what stands here"),
        ({"set_word": "a", "set_wrod": "1"}, "has no parameter wrod."),
        ({"set_word": "a", "set_times": "1", "work": "records:tests.probe.tasks.shout"}, "This task asks for"),
    ],
)
def test_what_the_form_refuses_is_told_at_its_input_and_what_was_typed_stays(clerk, changes, told):
    page = add(clerk, description="Mine", **changes)
    assert page.status_code == 200
    assert set(page.context["adminform"].form.errors) == {"parameters"}
    html = page.content.decode()
    assert told in html
    assert ">Mine</textarea>" in html.replace("\n", "")
    if "set_word" in changes and changes.get("asked_of", SAY) == SAY and "work" not in changes:
        assert untouched(html, "work")["set-word"] == changes["set_word"]
    assert not PeriodicTask.objects.exists()


def test_another_task_for_a_schedule_leaves_the_old_parameters_behind(clerk):
    schedule = stored(word="a")
    sent = untouched(clerk.get(change_page(schedule)).content.decode(), "work")
    answer = clerk.post(change_page(schedule), {**sent, "work": "records:tests.probe.tasks.poke"})
    assert answer.status_code == 302
    schedule.refresh_from_db()
    assert json.loads(schedule.kwargs) == {"task": "tests.probe.tasks.poke"}


def test_another_filter_for_a_schedule_keeps_its_parameters(clerk):
    add(clerk, set_word="a")
    schedule = PeriodicTask.objects.get()
    sent = untouched(clerk.get(change_page(schedule)).content.decode(), "work")
    clerk.post(change_page(schedule), {**sent, "selection": "q=other"})
    schedule.refresh_from_db()
    kwargs = json.loads(schedule.kwargs)
    assert (kwargs["selection"], kwargs["parameters"]) == ("q=other", {"word": "a"})


INPUTS = "admin:schedules_inputs"


def test_the_inputs_of_a_task_are_given_to_who_may_start_it(clerk):
    ask = {"work": f"records:{SAY}"}
    assert 'name="set-word"' in clerk.get(reverse(INPUTS), ask).content.decode()
    for work in ("records:tests.probe.tasks.poke", "records:nothing", "tests.schedules.tasks.tick", ""):
        answer = clerk.get(reverse(INPUTS), {"work": work})
        assert (answer.status_code, "set-" in answer.content.decode()) == (200, False)
    client = Client()
    client.force_login(user(*SCHEDULER, "probe.view_probe", username="other"))
    assert "set-word" not in client.get(reverse(INPUTS), ask).content.decode()
    client.force_login(user("probe.change_probe", username="operator"))
    assert client.get(reverse(INPUTS), ask).status_code == 403


def test_the_preview_tells_what_is_wrong_and_not_what_is_not_filled_in_yet(clerk):
    sent = {**GOOD, "asked_of": SAY, "set-word": "", "set-times": "9"}
    errors = clerk.post(reverse("admin:schedules_preview"), sent).json()["errors"]
    assert errors == {"parameters": ["Times: Ensure this value is less than or equal to 3."]}


@pytest.mark.parametrize("given", [{"word": ""}, {"other": 1}, [1], "word", {"word": "a", "group": "0"}])
def test_a_firing_whose_parameters_are_refused_says_so_and_starts_nothing(given):
    probes(1)
    with pytest.raises(ValueError, match=r"\w"):
        start_run(SAY, {}, given, schedule_name="Nightly", firing_id=None)
    assert not Run.objects.exists()


def test_what_a_schedule_is_for_is_the_reason_of_its_runs(clerk, monkeypatch):
    monkeypatch.setattr(tasks.say, "reason", "required")
    probes(1)
    group = Group.objects.create(name="g")
    add(clerk, set_word="a", set_group=group.pk, description="Month end")
    for name in ("Nightly", "Gone"):
        start_run(SAY, {}, {"word": "a"}, schedule_name=name, firing_id=None)
        work_off(Run.objects.latest("pk"))
    assert list(Run.objects.order_by("pk").values_list("reason", flat=True)) == ["Month end", "Schedule “Gone”"]


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"word": "a"}, ""),
        ({"word": "a", "times": 9}, "Times: Ensure this value is less than or equal to 3."),
        ({}, "Word: This field is required."),
    ],
)
def test_a_schedule_of_one_record_and_a_call_that_is_run_again_are_asked_the_same(kwargs, told):
    assert permitted.misfit(tasks.say, [1], kwargs) == told
    assert permitted.misfit(tasks.say, [], {"instance_id": 1, **kwargs}) == told


def test_from_the_list_the_form_opens_with_the_inputs(clerk, monkeypatch):
    monkeypatch.setattr(ProbeAdmin, "actions", ProbeAdmin.actions[1:])
    monkeypatch.setitem(tasks.Wording.base_fields, "times", forms.IntegerField(initial=2))
    found = re.search(
        r'href="(/admin/django_celery_beat/periodictask/add/\?[^"]*)"', clerk.get(reverse(LIST)).content.decode()
    )
    sent = untouched(clerk.get(html.unescape(found[1])).content.decode(), "work")
    assert {name: value for name, value in sent.items() if name.startswith("set-")} == {
        "set-word": "", "set-times": "2", "set-group": "", "set-when_0": "", "set-when_1": "",
    }  # fmt: skip
    assert clerk.post(reverse(ADD), {**sent, "name": "Nightly", "set-word": "a"}).status_code == 302
