"""What is settled is no failure any more, on any page of the desk."""

import json

import pytest
from django.urls import reverse
from django_celery_results.models import TaskResult

from backoffice.desk.failures import failures
from backoffice.results.models import Activity
from backoffice.runs import operations
from backoffice.runs.models import Dismissal
from backoffice.testing import work_off
from tests.desk import factories
from tests.factories import user
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db
LIST = "/admin/desk/failures/"


@pytest.fixture
def boss(client):
    made = user(is_superuser=True)
    client.force_login(made)
    return made


def desk(client):
    return client.get("/admin/").context["desk"]


def url_of(who) -> str:
    (group,) = failures.groups(who).groups
    return reverse("admin:desk_failure_group", args=[group.fingerprint])


def call_of(task: str, *args, **fields) -> TaskResult:
    return factories.failure("bad value 7", task_name=task, task_args=json.dumps(args), **fields)


def test_nineteen_that_crashed_are_mended_and_leave_no_trace_of_failure(client, boss):
    probes(19, behaviour="fail")
    run = work_off(poke_all())
    before = desk(client)
    assert [row.id for row in before.failed_runs] == [run.pk]
    assert before.failed_tasks_count == "19"
    Probe.objects.update(behaviour="fine")
    work_off(operations.retry(run, boss))
    after = desk(client)
    assert (after.failed_runs, after.failed_tasks, after.failed_tasks_count) == ([], [], "0")
    assert "Nothing that failed today still fails." in client.get("/admin/").text
    assert "No failure stands" in client.get(LIST).text
    assert "19 failed (all settled since)" in client.get("/admin/runs/run/").text
    run.refresh_from_db()
    assert run.failed == 19


def test_half_mended_only_the_rest_is_told(client, boss):
    one, _two = probes(2, behaviour="fail")
    run = work_off(poke_all())
    Probe.objects.update(behaviour="fine")
    work_off(operations.retry(run, boss, record_ids=[one.pk]))
    (row,) = desk(client).failed_runs
    assert "2 failed (1 still failing)" in row.counts
    assert desk(client).failed_tasks_count == "1"
    assert failures.groups(boss).groups[0].count == 1


def test_a_group_of_deleted_records_is_dismissed_with_a_reason(client, boss):
    probes(2, behaviour="fail")
    run = work_off(poke_all())
    Probe.objects.all().delete()
    url = url_of(boss)
    page = client.get(url).text
    assert "Dismiss 2 failures" in page
    assert "Retry 2" not in page
    assert "Say why" in client.post(url, {"dismiss": "1", "reason": ""}, follow=True).text
    client.post(url, {"dismiss": "1", "reason": "sold"})
    assert failures.groups(boss).groups == []
    assert desk(client).failed_runs == []
    run.refresh_from_db()
    assert run.settled_at


def test_failed_calls_are_dismissed_with_a_reason(client, boss):
    call_of("records.tasks.add", 1, 2)
    assert len(desk(client).failed_tasks) == 1
    client.post(url_of(boss), {"dismiss": "1", "reason": "a slip"})
    assert desk(client).failed_tasks == []
    assert failures.groups(boss).groups == []
    assert Activity.objects.get(verb="failures.dismissed").details["reason"] == "a slip"


def test_who_may_only_look_dismisses_no_call(client):
    call_of("records.tasks.add", 1, 2)
    clerk = user("django_celery_results.view_taskresult")
    client.force_login(clerk)
    url = url_of(clerk)
    assert "Dismiss" not in client.get(url).text
    assert client.post(url, {"dismiss": "1", "reason": "x"}).status_code == 403
    assert not Dismissal.objects.exists()


def test_records_that_are_there_are_retried_and_not_dismissed(client, boss):
    probes(1, behaviour="fail")
    work_off(poke_all())
    url = url_of(boss)
    assert "Dismiss" not in client.get(url).text
    assert client.post(url, {"dismiss": "1", "reason": "x"}).status_code == 403


def test_a_call_run_again_is_settled_once_it_succeeds(client, boss):
    call_of("records.tasks.add", 1, 2)
    client.post(url_of(boss))
    (again,) = Activity.objects.get(verb="failures.run_again").details["again"]
    assert len(failures.groups(boss).groups) == 1
    failed_again = call_of("records.tasks.add", 1, 2, task_id=again)
    assert failures.groups(boss).groups[0].count == 2
    client.post(url_of(boss))
    entry = Activity.objects.filter(verb="failures.run_again").latest("pk")
    (once_more,) = entry.details["again"]
    assert entry.details["again"][once_more] == [failed_again.task_id]
    factories.result(task_id=once_more)
    assert failures.groups(boss).groups == []


def test_a_plain_call_of_a_record_task_is_mended_by_a_later_run(client, boss):
    (probe,) = probes(1)
    call_of("tests.probe.tasks.poke", probe.pk)
    assert len(desk(client).failed_tasks) == 1
    work_off(poke_all())
    assert desk(client).failed_tasks == []
    call_of("tests.probe.tasks.poke", probe.pk)
    assert len(desk(client).failed_tasks) == 1


def test_the_desk_asks_no_more_for_many(client, boss, django_assert_max_num_queries):
    probes(20, behaviour="fail")
    work_off(poke_all())
    for number in range(10):
        call_of("records.tasks.add", number)
    client.get("/admin/")
    with django_assert_max_num_queries(40):
        client.get("/admin/")


def test_the_page_of_a_failed_result_says_what_settled_it(client, boss):
    one, gone = probes(2, behaviour="fail")
    run = work_off(poke_all())
    pages = {record.pk: TaskResult.objects.get(task_id=run.item_task_id(record.pk)).pk for record in (one, gone)}
    url = "/admin/django_celery_results/taskresult/{}/change/"
    assert "Settled" not in client.get(url.format(pages[one.pk])).text
    Probe.objects.update(behaviour="fine")
    later = work_off(operations.retry(run, boss, record_ids=[one.pk]))
    Probe.objects.filter(pk=gone.pk).delete()
    client.post(reverse("admin:runs_run_dismiss", args=[run.pk]), {"reason": "sold"})
    assert f"mended by run {later.pk}" in client.get(url.format(pages[one.pk])).text
    html = client.get(url.format(pages[gone.pk])).text
    assert f"dismissed by {boss.username}: sold" in html
    call = call_of("records.tasks.add", 1, 2)
    client.post(url_of(boss), {"dismiss": "1", "reason": "a slip"})
    assert "or dismissed" in client.get(url.format(call.pk)).text
