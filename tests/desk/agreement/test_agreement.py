"""Is anything missing? Asked on a page by who may, answered by a worker, kept with its age, counts and evidence."""

import hashlib
import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.desk.agreement import asking
from backoffice.desk.models import Comparison
from backoffice.management.redis_server import free_port
from backoffice.queues import TASKS
from backoffice.results.models import Activity
from backoffice.runs.doctor import findings
from backoffice.runs.models import Run, RunItem
from backoffice.testing import work_off, worker
from backoffice.testing.processes import redis_in_use
from tests.desk import factories
from tests.factories import member, user
from tests.runs.factories import poke_all, probes
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/admin/desk/agreement/"


@pytest.fixture
def run() -> Run:
    probes(5)
    probes(1, behaviour="fail")
    done = work_off(poke_all())
    RunItem.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    return done


@pytest.fixture
def auditor(client):
    made = member("Auditor")
    client.force_login(made)
    return made


@pytest.fixture
def sent(monkeypatch):
    """The messages that a worker would have; what sends them in earnest is tried with a real worker below."""
    found: list[int] = []
    monkeypatch.setattr(asking, "send", found.append)
    return found


def answered(client, sent) -> str:
    """The page, once a worker has answered."""
    client.post(URL)
    asking.compare(sent.pop())
    return client.get(URL).text


def test_it_says_that_nothing_is_missing_of_what_and_when(client, auditor, sent, run):
    assert "Nobody has asked yet." in client.get(URL).text
    factories.result("SUCCESS")
    TaskResult.objects.update(date_done=timezone.now() - timedelta(minutes=1))
    html = answered(client, sent)
    assert "nothing is missing" in html
    assert "They agree: 6 outcomes of 1 run, and 1 call outside of runs." in html
    row = Comparison.objects.get()
    assert f"{timezone.localtime(row.finished_at):%Y-%m-%d %H:%M:%S}" in html
    assert f"asked for by {auditor.username}" in html
    assert re.search(r"Last answer: (now|a second ago|\d+\xa0seconds ago)<", html)
    assert "<strong>" not in html.partition('id="answer"')[2].partition("</table>")[0]


def test_what_is_missing_is_counted_explained_and_named_with_its_run(client, auditor, sent, run):
    TaskResult.objects.filter(status="SUCCESS").first().delete()
    TaskResult.objects.filter(status="FAILURE").update(status="SUCCESS")
    html = answered(client, sent)
    assert "they differ" in html
    assert "2 differences in" in html
    assert "manage.py doctor --repair" in html
    listed = client.get(URL).context["differences"]
    named = [(each.words, each.number, each.run) for each in listed]
    assert named == [("rows missing", 1, run.pk), ("rows wrong", 1, run.pk)]
    assert f"/admin/runs/run/{run.pk}/change/" in html
    lacking = run.items.get(record_id=listed[0].which.partition(": ")[2])
    assert not TaskResult.objects.filter(task_id=lacking.task_id).exists()
    assert TaskResult.objects.count() == 5  # looking changes nothing


def test_its_evidence_can_be_checked(client, auditor, sent, run):
    TaskResult.objects.filter(status="SUCCESS").first().delete()
    answered(client, sent)
    row = Comparison.objects.get()
    answer = client.get(f"{URL}{row.pk}/evidence/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    told = json.loads(archive.read("agreement.json"))
    assert (told["says"], told["differ"]["rows_missing"], told["looked_at"]["compared"]) == ("they differ", 1, 6)
    assert (told["asked_by"], told["taken_by"]) == (auditor.username, auditor.username)
    assert json.loads(archive.read("differences.jsonl"))["run"] == run.pk
    verbs = [json.loads(line)["verb"] for line in archive.read("activity.jsonl").splitlines()]
    assert verbs == ["comparison.asked", "comparison.ended", "comparison.exported"]
    sums = dict(reversed(line.split("  ")) for line in archive.read("sha256sums.txt").decode().splitlines())
    assert sums == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()[:-1]}


def test_it_is_for_who_may_look_and_asked_by_who_may_ask(client, sent, run):
    Comparison.objects.create(open=None, finished_at=timezone.now(), started_at=timezone.now(), since=timezone.now())
    pk = Comparison.objects.get().pk
    pages = (URL, f"{URL}{pk}/progress/", f"{URL}{pk}/evidence/")
    for who in (user(), member("Operator"), member("Scheduler"), user("desk.ask_comparison")):
        client.force_login(who)
        assert [client.get(page).status_code for page in pages] == [403] * 3
        assert client.post(URL).status_code == 403
    client.force_login(user("desk.view_comparison"))
    assert [client.get(page).status_code for page in pages] == [200] * 3
    assert "Ask again" not in client.get(URL).text
    assert client.post(URL).status_code == 403
    assert (sent, Comparison.objects.count()) == ([], 1)
    client.force_login(user("desk.view_comparison", "desk.ask_comparison"))
    assert "Ask again" in client.get(URL).text
    assert client.post(URL).status_code == 302
    assert len(sent) == 1
    for page in (f"{URL}{2**70}/evidence/", f"{URL}{10**9}/progress/", f"{URL}{sent[0]}/evidence/"):
        assert client.get(page).status_code == 404


def test_who_may_not_see_a_run_is_told_its_number_and_no_link(client, sent, run):
    client.force_login(user("desk.view_comparison", "desk.ask_comparison"))
    TaskResult.objects.filter(status="SUCCESS").first().delete()
    html = answered(client, sent)
    assert f"Run {run.pk}" in html
    assert f"/admin/runs/run/{run.pk}/" not in html


def test_of_two_who_ask_one_comparison_is_made(client, auditor, sent, run):
    client.post(URL)
    assert "</button>" not in client.get(URL).text.partition("bo-stack")[2].partition('id="now"')[0]
    answer = client.post(URL, follow=True)
    assert "A comparison is being made already." in answer.text
    assert len(sent) == 1
    asking.compare(sent[0])
    ended = Comparison.objects.get().finished_at
    asking.compare(sent[0])  # the message came twice
    assert Comparison.objects.get().finished_at == ended


def test_one_that_nobody_hears_of_is_called_off_by_asking_again(client, auditor, sent, run, monkeypatch):
    client.post(URL)
    old = Comparison.objects.get()
    Comparison.objects.update(started_at=timezone.now(), heard_at=timezone.now() - 2 * asking.SILENT)
    assert "Nothing was heard of it since" in client.get(URL).text
    client.post(URL)
    old.refresh_from_db()
    assert (old.open, old.error) == (None, "Its worker was not heard of any more.")
    monkeypatch.setattr(asking, "EVERY", 0)
    tell = asking.told_every_second(old.pk)
    with pytest.raises(asking.CalledOff):  # the worker that lives after all
        tell(findings.Drift())
    asking.compare(sent[-1])
    assert "nothing is missing" in client.get(URL).text


def test_one_that_no_worker_took_says_which_queue(client, auditor, sent):
    client.post(URL)
    Comparison.objects.update(heard_at=timezone.now() - 2 * asking.SILENT)
    client.post(URL)
    assert Comparison.objects.get(open=None).error == "No worker took it: see whether one serves the queue “tasks”."


def test_an_error_ends_it_and_the_last_answer_stays(client, auditor, sent, run, monkeypatch):
    answered(client, sent)
    monkeypatch.setattr(asking, "look", lambda survey: 1 / 0)
    client.post(URL)
    with pytest.raises(ZeroDivisionError):
        asking.compare(sent.pop())
    html = client.get(URL).text
    assert "ZeroDivisionError: division by zero" in html
    assert "They agree: 6 outcomes" in html


@pytest.fixture
def no_redis():
    with redis_in_use(f"redis://127.0.0.1:{free_port()}"):
        yield


def test_without_redis_it_says_so(client, auditor, sent, run, no_redis):
    html = answered(client, sent)
    assert "Redis did not answer" in html
    assert "What answered agrees:" in html
    assert "nothing is missing" not in html


def test_the_broker_being_away_is_told(client, auditor, no_redis):
    client.post(URL)
    html = client.get(URL).text
    assert "The broker took no message" in html
    assert "Ask</button>" in html


@pytest.mark.processes
def test_a_real_worker_of_plain_calls_answers_and_not_that_of_the_sweep(client, auditor, run):
    with worker("-Q", TASKS):
        client.post(URL)
        wait_until(lambda: not Comparison.objects.get().open, 30, what="the answer")
    # That worker's Redis is its own and empty: what is gone from there is no difference.
    assert "They agree: 6 outcomes of 1 run," in client.get(URL).text


def test_while_it_compares_the_page_tells_how_far_it_is(client, auditor, sent, run, monkeypatch):
    monkeypatch.setattr(asking, "EVERY", 0)
    client.post(URL)
    row, told = Comparison.objects.get(), []
    tell_every = asking.told_every_second

    def watched(pk):
        tell = tell_every(pk)

        def told_too(drift):
            tell(drift)
            told.append(client.get(f"{URL}{pk}/progress/").json())

        return told_too

    monkeypatch.setattr(asking, "told_every_second", watched)
    assert client.get(f"{URL}{row.pk}/progress/").json()["state"] == "PENDING"
    asking.compare(row.pk)
    assert {"state": "STARTED", "final": False, "done": 6, "total": 6, "text": "6 of 6 records"} in told
    assert client.get(f"{URL}{row.pk}/progress/").json()["final"]


def test_old_answers_go_and_the_log_keeps_what_they_found(client, auditor, sent, run, monkeypatch):
    monkeypatch.setattr(asking, "KEPT", 3)
    for _ in range(6):
        answered(client, sent)
    assert Comparison.objects.count() == 3
    ended = Activity.objects.filter(verb="comparison.ended")
    assert [entry.details["compared"] for entry in ended] == [6] * 6


def test_the_page_asks_few_questions(client, auditor, sent, run, django_assert_num_queries):
    TaskResult.objects.all().delete()
    for _ in range(12):
        answered(client, sent)
    with django_assert_num_queries(6):  # session, user, their permissions and their groups', comparisons, runs
        client.get(URL)
