"""Time limits: the soft one comes before the hard one, however a task is sent, and nothing is left half sent."""

import pytest
from celery import current_app
from django.core.checks import run_checks
from django.db import transaction
from django.urls import reverse

from backoffice.results.activity import SYSTEM
from backoffice.results.message.limits import soft_before
from backoffice.results.models import Activity
from backoffice.runs.engine import broker
from backoffice.runs.models import Run, RunItem, State
from backoffice.runs.start import start
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from records.tasks import add
from tests.probe.models import Probe
from tests.probe.tasks import poke, poke_briefly, poke_within_a_minute, sleep_long
from tests.runs.factories import poke_all, probes
from tests.schedules import queued

pytestmark = pytest.mark.django_db(transaction=True)
DEFAULT = (1800, 1740)


@pytest.mark.parametrize(
    ("hard", "soft", "expected"),
    [(1800, 1740, 1740), (60, 1740, 54), (1, 1740, 0.9), (60, 60, 60), (60, 61, 54), (60, None, None), (None, 5, 5),
     (0, 5, 5), ("abc", 5, 5), (60, "abc", "abc")],
)  # fmt: skip
def test_a_soft_limit_above_the_hard_one_is_lowered(hard, soft, expected):
    assert soft_before(hard, soft) == expected


def on_commit(task, *args, **options):
    with transaction.atomic():
        task.apply_async_on_commit(args, **options)


WAYS = {
    "delay": (lambda: sleep_long.delay(), (2, 1.8)),
    "apply_async": (lambda: sleep_long.apply_async(), (2, 1.8)),
    "apply_async with a hard limit": (lambda: add.apply_async((2, 3), time_limit=60), (60, 54)),
    "apply_async with both": (lambda: add.apply_async((2, 3), time_limit=60, soft_time_limit=5), (60, 5)),
    "apply_async with both the wrong way round": (
        lambda: add.apply_async((2, 3), time_limit=60, soft_time_limit=90), (60, 54)),
    "delay on commit": (lambda: on_commit(sleep_long), (2, 1.8)),
    "apply_async on commit": (lambda: on_commit(add, 2, 3, time_limit=60), (60, 54)),
    "by name": (lambda: current_app.send_task("records.tasks.add", (2, 3), time_limit=60), (60, 54)),
    "by name, one with a soft limit of its own": (
        lambda: current_app.send_task(poke_briefly.name, (1,), time_limit=60), (60, 2)),
    "by a name that is not known here": (lambda: current_app.send_task("no.such", time_limit=60), (60, 54)),
    "a signature": (lambda: add.s(2, 3).set(time_limit=60).delay(), (60, 54)),
    "a record task": (lambda: poke_within_a_minute.delay(1), (60, 54)),
    "without any": (lambda: add.delay(2, 3), DEFAULT),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_in_whatever_way_a_task_is_sent_its_soft_limit_comes_first(way):
    send, expected = WAYS[way]
    send()
    assert [tuple(message["timelimit"]) for message in queued.messages()] == [expected]


def test_a_run_of_a_task_with_a_hard_limit_only_is_sent_and_worked_off():
    probes(3)
    run = start(Probe.objects.all(), poke_within_a_minute)
    assert {tuple(message["timelimit"]) for message in queued.messages()} == {(60, 54)}
    assert work_off(run).succeeded == 3


@pytest.mark.spared
def test_a_worker_tells_such_a_task_before_it_ends_it(worker):
    assert sleep_long.delay().get(timeout=20) == "left in order"


# --- what the checks tell authors


def nothing():
    pass


@pytest.fixture
def declared():
    """Tasks as an author declares them."""
    made = {}

    def declare(name, **limits):
        made[name] = current_app.task(name=name, **limits)(nothing)

    yield declare
    for name in made:
        current_app.tasks.unregister(name)


def told(*ids):
    return [message.msg for message in run_checks() if message.id in ids]


def test_authors_are_told_of_limits_that_follow_contradict_or_are_none(declared):
    declared("a.follower", time_limit=60)
    declared("a.contradiction", time_limit=60, soft_time_limit=90)
    declared("a.good", time_limit=60, soft_time_limit=30)
    declared("a.none", time_limit=-1)
    assert "a.follower has a time_limit of 60 s: its soft_time_limit is 54 s." in told("runs.I006")
    assert told("runs.W006") == ["a.contradiction has a time_limit of 60 s: its soft_time_limit is 54 s, not 90 s."]
    assert told("runs.E005") == ["a.none has the time_limit -1."]


# --- whatever sending may raise


@pytest.mark.parametrize("error", [ValueError("bad \udce4 option"), TypeError("x"), KeyError("queue"), RuntimeError()])
def test_a_run_that_cannot_be_sent_is_cancelled_with_the_reason_and_leaves_nothing_waiting(error, monkeypatch):
    def refuse(*_args, **_options):
        raise error

    monkeypatch.setattr(poke, "apply_async", refuse)
    probes(3)
    run = poke_all()
    sweep()
    run.refresh_from_db()
    assert (run.state, run.cancelled_by, run.is_finished) == (State.REVOKED, SYSTEM, True)
    assert type(error).__name__ in run.cancel_reason
    assert set(RunItem.objects.values_list("state", flat=True)) == {State.REVOKED}
    assert Activity.objects.filter(verb="run.cancelled").count() == 1
    monkeypatch.undo()
    assert work_off(poke_all()).succeeded == 3  # its records are free


def test_the_click_says_so(admin_client, monkeypatch):
    monkeypatch.setattr(broker, "queue_of", lambda _task: 1 / 0)
    (probe,) = probes(1)
    fields = {"confirmed": "1", "action": "poke_selected", "_selected_action": [probe.pk]}
    page = admin_client.post(reverse("admin:probe_probe_changelist"), fields, follow=True).content.decode()
    assert "its messages could not be sent (ZeroDivisionError: division by zero)" in page
    assert Run.objects.get().cancelled_at
