"""A form of parameters that fails itself: every door says so in a sentence, and nothing else is harmed."""

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from backoffice.runs.models import Run
from backoffice.runs.seam import BadParameters, State, start
from backoffice.runs.start import activate
from backoffice.runs.sweep import sweep
from backoffice.schedules.scheduled import start_run
from backoffice.testing import work_off
from tests.factories import user
from tests.probe import tasks
from tests.probe.asked import Wording
from tests.probe.models import Probe
from tests.runs.clicks import page
from tests.runs.factories import probes
from tests.schedules.test_parameters import change_page, stored

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:probe_probe_changelist"
SAID = "fails itself, and its developers can mend it: KeyError: &#x27;rate&#x27;"
TOLD = "fails itself, and its developers can mend it: KeyError: 'rate'"


def raising(*_args, **_kwargs):
    raise KeyError("rate")


@pytest.fixture(params=["__init__", "clean"])
def breaks(request, monkeypatch):
    """Breaks the form, as a new version of it would."""
    return lambda: monkeypatch.setattr(Wording, request.param, raising)


@pytest.fixture
def boss(client):
    client.force_login(user(is_superuser=True, username="boss"))
    return client


@pytest.mark.parametrize("action", ["say_selected", "say_later"])
def test_a_click_says_so(boss, breaks, action):
    breaks()
    [probe] = probes(1)
    sent = {"action": action, "_selected_action": [probe.pk], "confirmed": "1", "set-word": "a"}
    html = boss.post(reverse(LIST), {**sent, "due_at": "2099-01-01T10:00"}, follow=True).content.decode()
    assert SAID in html
    assert not Run.objects.exists()


def test_code_and_commands_are_told(breaks):
    breaks()
    probes(1)
    with pytest.raises(BadParameters, match="KeyError"):
        start(Probe.objects.all(), "say", parameters={"word": "a"})
    with pytest.raises(BadParameters, match="KeyError"):
        tasks.say.delay(1, word="a")
    with pytest.raises(CommandError, match="KeyError") as told:
        call_command("process", "probe.Probe", "--task", "say", "--set", "word=a")
    assert told.value.returncode == 2


def test_what_was_planned_and_what_was_begun_is_called_off_with_the_sentence(breaks):
    first, second = probes(2)
    begun = start([first.pk], "say", parameters={"word": "a"})
    planned = start([second.pk], "say", parameters={"word": "a"}, due_at=timezone.now() + timezone.timedelta(hours=1))
    breaks()
    activate(planned.pk)
    assert TOLD in Run.objects.get(pk=planned.pk).cancel_reason
    work_off(begun)
    sweep()
    begun.refresh_from_db()
    assert (begun.state, TOLD in begun.cancel_reason) == (State.REVOKED, True)


def test_a_firing_says_so(breaks):
    breaks()
    probes(1)
    with pytest.raises(ValueError, match="KeyError"):
        start_run(tasks.say.name, {}, {"word": "a"}, schedule_name="Nightly", firing_id=None)


def test_pages_that_only_tell_of_parameters_show_them_as_submitted(boss, breaks, monkeypatch):
    probes(1)
    run = start(Probe.objects.all(), "say", parameters={"word": "a1b2"})
    schedule = stored(word="c3d4")
    breaks()
    for url, told in (
        (page(run), "a1b2"),
        (reverse("admin:django_celery_beat_periodictask_changelist"), "c3d4"),
        (change_page(schedule), "KeyError"),
    ):
        answer = boss.get(url)
        assert (answer.status_code, told in answer.content.decode()) == (200, True), url
    monkeypatch.setattr(tasks.say, "sensitive_args", ("word",), raising=False)
    assert "a1b2" not in boss.get(page(run)).content.decode()


def test_a_form_that_asks_for_more_by_now_is_told_at_the_retry_at_the_firing_and_on_the_schedules_page(
    boss, monkeypatch
):
    probes(1)
    with monkeypatch.context() as broken:
        broken.setattr(tasks.say, "body", raising)
        run = work_off(start(Probe.objects.all(), "say", parameters={"word": "a"}))
    schedule = stored(word="a")
    monkeypatch.setitem(Wording.base_fields, "more", forms.CharField())
    html = boss.post(page(run, "retry"), follow=True).content.decode()
    assert "More: This field is required." in html
    with pytest.raises(ValueError, match="More: This field is required"):
        start_run(tasks.say.name, {}, {"word": "a"}, schedule_name="Nightly", firing_id=None)
    assert "This field is required." in boss.get(change_page(schedule)).content.decode()
    assert Run.objects.count() == 1
