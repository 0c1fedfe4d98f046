"""Failures of tasks outside of runs: grouped like those of records, and run again by those who may."""

import base64
import json

import pytest
from celery import current_app
from django_celery_results.models import TaskResult

from backoffice.desk.failures import failed_calls, failures
from backoffice.results.models import Activity
from backoffice.results.values.redaction import MASK
from backoffice.testing import work_off
from tests.desk import factories
from tests.factories import user
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db
LIST = "/admin/desk/failures/"


def failed(*args, task: str = "records.tasks.add", message: str = "bad value 7", **kwargs) -> TaskResult:
    return factories.failure(message, task_name=task, task_args=json.dumps(args), task_kwargs=json.dumps(kwargs))


@pytest.fixture
def boss():
    return user(is_superuser=True)


def group_of(who) -> failures.Group:
    (group,) = failures.groups(who).groups
    return group


def queued() -> list[tuple]:
    """The arguments of the messages that wait."""
    client = current_app.connection_for_read().default_channel.client
    bodies = [json.loads(message)["body"] for message in client.lrange("tasks", 0, -1)]
    return [tuple(json.loads(base64.b64decode(body))[:2]) for body in reversed(bodies)]


def test_calls_of_one_cause_are_one_group_apart_from_the_records_of_runs(boss):
    rows = [failed(1, 2, message=f"bad value {number}") for number in (1, 2, 3)]
    probes(2, behaviour="fail")
    work_off(poke_all())
    calls, items = sorted(failures.groups(boss).groups, key=lambda group: not group.is_calls)
    assert (calls.is_calls, calls.task, calls.kind, calls.message) == (
        True, "records.tasks.add", "ValueError", "bad value <n>",
    )  # fmt: skip
    assert (calls.count, items.count) == (3, 2)
    assert (calls.first, calls.last) == (rows[0].date_done, rows[-1].date_done)
    assert {call.pk for call in calls.failures} == {row.pk for row in rows}


def test_the_list_names_them_and_says_how_far_it_looked(client, boss, monkeypatch):
    for _ in range(3):
        failed(1, 2)
    client.force_login(boss)
    page = client.get(LIST).content.decode()
    assert "bad value &lt;n&gt;" in page
    assert "3 failed calls outside of runs, all there are" in page
    assert "No failure has these words." in client.get(LIST, {"q": "deadlock"}).content.decode()
    monkeypatch.setattr(failed_calls, "NEWEST", 2)
    assert "the newest 2 failed calls outside of runs" in client.get(LIST).content.decode()


def test_only_those_who_see_task_results_see_them(client):
    failed(1, 2)
    fingerprint = group_of(user("django_celery_results.view_taskresult")).fingerprint
    clerk = user("runs.view_run")
    assert failures.groups(clerk).groups == []
    client.force_login(clerk)
    assert client.get(f"{LIST}{fingerprint}/").status_code == 302


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"exc_type": "KeyError", "exc_message": ["x", 2], "exc_module": "builtins"}', ("KeyError", "x, 2")),
        ('{"exc_type": "KeyError", "exc_message": ["' + "y" * 9, ("KeyError", "y" * 9)),
        ('{"exc_type": "KeyError", "exc_message": "text"}', ("KeyError", "text")),
        ("not json", ("", "not json")),
        ("[1]", ("", "[1]")),
        (None, ("", "")),
    ],
)
def test_a_stored_error_is_read_also_where_it_was_cut_off(said, expected):
    assert failed_calls.error_of(said) == expected


def test_each_set_of_arguments_is_run_again_once_after_a_confirmation_and_logged(client, boss):
    for args, kwargs in (((1, 2), {}), ((1, 2), {}), ((3,), {"y": 4})):
        failed(*args, **kwargs)
    client.force_login(boss)
    url = f"{LIST}{group_of(boss).fingerprint}/"
    page = client.get(url).content.decode()
    assert "Run 2 calls again" in page
    assert "Yes, run again" not in page
    assert "Yes, run again" in client.get(url, {"again": ""}).content.decode()
    assert client.post(url).status_code == 302
    assert queued() == [([3], {"y": 4}), ([1, 2], {})]
    entry = Activity.objects.get(verb="failures.run_again")
    assert (entry.actor, entry.target, len(entry.details["calls"])) == (boss.get_username(), "records.tasks.add", 3)
    client.post(url)
    assert len(queued()) == 2
    assert "run again already" in client.get(url).content.decode()


@pytest.mark.parametrize(
    ("task", "args", "why"),
    [
        ("gone.tasks.away", [], "no task called"),
        ("backoffice.runs.tasks.sweep", [], "not one of the tasks that staff may start"),
        ("backoffice.desk.tasks.apply_retention", [], "not one of the tasks that staff may start"),
        ("records.tasks.add", ["datetime.date(2026, 1, 1)", 2], "not kept exactly"),
        ("records.tasks.add", ["<Thing at 0x7f00>", 2], "not kept exactly"),
        ("records.tasks.add", [MASK, 2], "not kept exactly"),
        ("records.tasks.add", [1, 2, 3], "do not fit the task"),
    ],
)
def test_what_cannot_be_run_again_says_why(client, boss, task, args, why):
    failed(*args, task=task)
    client.force_login(boss)
    page = client.get(f"{LIST}{group_of(boss).fingerprint}/").content.decode()
    assert why in page
    assert "call again" not in page
    client.post(f"{LIST}{group_of(boss).fingerprint}/")
    assert queued() == []


def test_a_task_with_sensitive_arguments_is_not_run_again(client, boss, monkeypatch):
    monkeypatch.setattr(current_app.tasks["records.tasks.add"], "sensitive_args", ("x",))
    failed(MASK, 2)
    client.force_login(boss)
    assert "because they are sensitive" in client.get(f"{LIST}{group_of(boss).fingerprint}/").content.decode()


def test_who_may_only_look_runs_nothing_again(client):
    failed(1, 2)
    auditor = user("django_celery_results.view_taskresult", "runs.view_run")
    client.force_login(auditor)
    url = f"{LIST}{group_of(auditor).fingerprint}/"
    assert "no permission to run it again" in client.get(url, {"again": ""}).content.decode()
    assert client.post(url).status_code == 403
    assert queued() == []


def test_the_questions_asked_do_not_grow_with_the_calls(client, boss, django_assert_max_num_queries):
    for number in range(60):
        failed(number, 2)
    client.force_login(boss)
    url = f"{LIST}{group_of(boss).fingerprint}/"
    client.get(url)
    with django_assert_max_num_queries(13):
        client.get(url)
    with django_assert_max_num_queries(10):
        client.get(LIST)
