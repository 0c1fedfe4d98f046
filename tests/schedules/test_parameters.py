"""What a record task asks for, asked by whoever plans it for later or on a schedule."""

import html
import json
import re

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from backoffice.runs import parameters
from backoffice.runs.models import Run
from backoffice.runs.seam import State
from backoffice.schedules.form.forms import ScheduleForm
from backoffice.schedules.rules import permitted, words
from backoffice.schedules.rules.verify import verify
from backoffice.schedules.scheduled import start_due, start_run
from backoffice.testing import work_off
from tests.factories import user
from tests.probe import tasks
from tests.probe.admin import ProbeAdmin
from tests.probe.models import Probe
from tests.runs.factories import probes
from tests.schedules.clock import in_hours
from tests.schedules.factories import SCHEDULER

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
    assert 'name="set-word"' in later(clerk).content.decode()
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


def add(client, arguments, **changes):
    return client.post(reverse(ADD), {**GOOD, "arguments": json.dumps(arguments) if arguments else "", **changes})


def test_a_schedule_carries_them_to_each_of_its_runs(clerk):
    probes(2)
    assert add(clerk, {"word": "a", "times": 2}).status_code == 302
    schedule = PeriodicTask.objects.get()
    verify(schedule)
    kwargs = json.loads(schedule.kwargs)
    assert kwargs["parameters"] == {"word": "a", "times": 2}
    assert "Word: a; Times: 2" in words.what(schedule)
    told = start_run(
        SAY, {"selection": kwargs["selection"]}, kwargs["parameters"], schedule_name="Nightly", firing_id=None
    )
    run = work_off(Run.objects.get())
    assert (told, run.parameters, run.state) == (
        f"Started run {run.pk} over 2 records.", {"word": "a", "times": "2"}, State.SUCCESS,
    )  # fmt: skip
    shown = clerk.get(reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])).content.decode()
    assert "&quot;word&quot;: &quot;a&quot;" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", "Word: This field is required."),
        ('{"word": "a", "times": 9}', "Times: Ensure this value is less than or equal to 3."),
        ('{"word": "a", "wrod": 1}', "has no parameter wrod."),
        ("[1]", "Write {"),
        ("{x", "This is not JSON"),
    ],
)
def test_what_the_form_refuses_is_told_at_its_field(arguments, told):
    form = ScheduleForm({**GOOD, "arguments": arguments})
    assert not form.is_valid()
    assert told in " ".join(form.errors["arguments"])
    assert set(form.errors) == {"arguments"}


def test_another_filter_for_a_schedule_keeps_its_parameters(clerk):
    add(clerk, {"word": "a"})
    schedule = PeriodicTask.objects.get()
    url = reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])
    shown = clerk.get(url).context["adminform"].form
    sent = {name: shown[name].value() for name in shown.fields if shown[name].value() is not None}
    clerk.post(url, {**{name: value for name, value in sent.items() if value is not False}, "selection": "q=other"})
    schedule.refresh_from_db()
    kwargs = json.loads(schedule.kwargs)
    assert (kwargs["selection"], kwargs["parameters"]) == ("q=other", {"word": "a"})


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
    add(clerk, {"word": "a", "group": group.pk}, description="Month end")
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


def test_from_the_list_the_form_opens_with_every_parameter_by_name(clerk, monkeypatch):
    monkeypatch.setattr(ProbeAdmin, "actions", ProbeAdmin.actions[1:])
    found = re.search(
        r'href="(/admin/django_celery_beat/periodictask/add/\?[^"]*)"', clerk.get(reverse(LIST)).content.decode()
    )
    form = clerk.get(html.unescape(found[1])).context["adminform"].form
    blank = {"word": "", "times": "", "loud": "", "ends": [], "group": "", "when": ""}
    assert json.loads(form["arguments"].value()) == blank
    assert add(clerk, {**blank, "word": "a"}).status_code == 302


def test_a_parameter_begins_as_its_form_says(monkeypatch):
    monkeypatch.setitem(tasks.Wording.base_fields, "times", forms.IntegerField(initial=2))
    assert parameters.blank(tasks.say)["times"] == "2"
