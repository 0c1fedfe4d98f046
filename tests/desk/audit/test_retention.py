"""What is older than staff want to keep is deleted, and nothing else is."""

import contextlib
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import GroupResult, TaskResult

from backoffice.desk import tasks
from backoffice.desk.audit import retention
from backoffice.desk.models import RetentionPolicy
from backoffice.notices.models import Notice
from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.runs.change import undoable
from backoffice.runs.models import ChangeSet, Event, LeftAlone, Run, RunItem
from backoffice.runs.operations import undo
from backoffice.runs.start import EmptySelection
from backoffice.schedules.rules.permitted import is_system
from backoffice.schedules.rules.verify import verify
from backoffice.testing import work_off
from tests.desk import factories
from tests.factories import user
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db
LIST = "/admin/desk/retentionpolicy/"
DAYS = {"results": 365, "changes": 365, "items": 365, "runs": 1825, "notices": 90}


def keep(**days: int | None) -> None:
    """Changes as long as records, where nothing else is said."""
    days.setdefault("changes", days.get("items"))
    for kind in RetentionPolicy.Kind.values:
        RetentionPolicy.objects.update_or_create(kind=kind, defaults={"days": days.get(kind)})


def long_ago(days: int = 30) -> None:
    """Everything there is becomes so much older."""
    back = timedelta(days=days)
    for run in Run.objects.exclude(finished_at=None):
        Run.objects.filter(pk=run.pk).update(finished_at=run.finished_at - back)
    for model in (TaskResult, GroupResult):
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(date_done=row.date_done - back)


def finished_run(number: int = 5) -> Run:
    probes(number)
    return work_off(poke_all())


def deletions(kind: str) -> list[int]:
    log = Activity.objects.filter(verb="retention.deleted").order_by("pk")
    return [entry.details["number"] for entry in log if entry.details["kind"] == kind]


def test_each_kind_goes_at_its_own_age():
    run = finished_run()
    factories.group_result()
    long_ago(30)
    keep(results=40, items=40, runs=40)
    assert retention.apply() is False
    assert (TaskResult.objects.count(), RunItem.objects.count(), Run.objects.count()) == (5, 5, 1)
    keep(results=20, items=40, runs=40)
    retention.apply()
    assert (TaskResult.objects.count(), GroupResult.objects.count(), RunItem.objects.count()) == (0, 0, 5)
    keep(items=20, runs=40)
    retention.apply()
    run.refresh_from_db()
    assert (RunItem.objects.count(), run.succeeded) == (0, 5)
    Notice.objects.create(user=user(), key="old", kind="schedule_off", created_at=run.finished_at)
    Notice.objects.create(user=user(), key="new", kind="schedule_off")
    Event.objects.create(kind=Event.Kind.NOTICE, about={"notice": 1}, created_at=run.finished_at, attempts=Event.MOST)
    keep(items=20, runs=20)
    retention.apply()
    assert (Run.objects.count(), Notice.objects.count()) == (0, 2)
    keep(notices=20)
    retention.apply()
    assert Notice.objects.get().key == "new"
    assert not Event.objects.filter(kind=Event.Kind.NOTICE).exists()


def test_what_was_deleted_is_logged_and_the_log_is_never_deleted(client):
    run = finished_run()
    before = list(Activity.objects.values_list("pk", flat=True))
    long_ago(30)
    keep(results=7, items=7, runs=7)
    retention.apply()
    assert set(before) <= set(Activity.objects.values_list("pk", flat=True))
    assert (deletions("results"), deletions("items"), deletions("runs")) == ([5], [5], [1])
    items = Activity.objects.get(verb="retention.deleted", model="runs.run", details__kind="items")
    assert (items.object_id, items.actor) == (str(run.pk), "system")


def test_it_goes_in_chunks_with_an_entry_each(monkeypatch):
    finished_run(5)
    long_ago(30)
    monkeypatch.setattr(retention, "CHUNK", 2)
    keep(results=7, items=7, runs=7)
    retention.apply()
    assert (deletions("results"), deletions("items")) == ([2, 2, 1], [2, 2, 1])
    assert not RunItem.objects.exists()


def test_it_stops_when_its_time_is_over_and_goes_on_in_the_next_message(monkeypatch):
    finished_run(5)
    long_ago(30)
    monkeypatch.setattr(retention, "CHUNK", 2)
    keep(results=7, items=7, runs=7)
    assert retention.apply(budget=0) is True
    assert TaskResult.objects.count() == 3
    sent = []
    monkeypatch.setattr(retention, "BUDGET", 0)
    monkeypatch.setattr(retention, "apply", lambda: True)
    monkeypatch.setattr(tasks.apply_retention, "apply_async", lambda **options: sent.append(options))
    tasks.apply_retention()
    assert sent == [{"expires": tasks.WORTH}]


def test_what_an_open_run_needs_stays_whatever_its_age():
    old = finished_run(3)
    long_ago(100)
    open_run = poke_all(retry_of=old)
    result = factories.result(task_id=open_run.item_task_id(1))
    TaskResult.objects.filter(pk=result.pk).update(date_done=timezone.now() - timedelta(days=99))
    keep(results=7, items=7, runs=7)
    retention.apply()
    assert list(TaskResult.objects.all()) == [result]
    assert RunItem.objects.filter(run=open_run).count() == 3
    assert not RunItem.objects.filter(run=old).exists()
    assert Run.objects.count() == 2
    Run.objects.filter(pk=open_run.pk).update(finished_at=timezone.now())
    retention.apply()
    assert list(Run.objects.all()) == [open_run]


def test_without_an_age_everything_is_kept():
    finished_run()
    long_ago(10_000)
    keep()
    retention.apply()
    assert (TaskResult.objects.count(), RunItem.objects.count(), Run.objects.count()) == (5, 5, 1)


def test_ages_are_there_from_the_start_and_the_schedule_is_the_systems_own(capsys):
    assert {row.kind: row.days for row in RetentionPolicy.objects.all()} == DAYS
    call_command("setup_backoffice")
    row = PeriodicTask.objects.get(name="Retention")
    verify(row)
    assert (row.task, row.queue) == (tasks.apply_retention.name, "control")
    assert is_system(row.task)


def test_a_change_needs_the_permission_and_is_logged(client):
    policy = RetentionPolicy.objects.get(kind="results")
    url = f"{LIST}{policy.pk}/change/"
    client.force_login(user("desk.view_retentionpolicy"))
    assert "365 days" in client.get(LIST).content.decode()
    assert client.post(url, {"days": "30"}).status_code == 403
    client.force_login(user("desk.change_retentionpolicy", username="rita"))
    assert client.post(url, {"days": "30"}).status_code == 302
    entry = Activity.objects.get(verb="retention.changed")
    assert (entry.actor, entry.details) == ("rita", {"kind": "results", "days": [365, 30]})
    policy.refresh_from_db()
    assert policy.days == 30


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("results", "6"),
        ("results", "99999"),
        ("items", "2000"),
        ("runs", "100"),
        ("changes", "366"),
        ("changes", ""),
        ("items", "364"),
    ],
)
def test_an_age_that_makes_no_sense_is_refused(client, kind: str, days: str):
    client.force_login(user(is_superuser=True))
    policy = RetentionPolicy.objects.get(kind=kind)
    response = client.post(f"{LIST}{policy.pk}/change/", {"days": days})
    assert response.status_code == 200
    assert response.context["errors"]
    assert RetentionPolicy.objects.get(kind=kind).days == policy.days


@pytest.mark.django_db(transaction=True)
def test_two_who_change_two_ages_at_once_keep_runs_as_long_as_their_records(monkeypatch: pytest.MonkeyPatch):
    """Either alone is right: records for 1,000 days of 1,825, runs for 500 days of 365."""
    boss = user(is_superuser=True)
    for kind, days in (("items", 365), ("runs", 1825)):
        RetentionPolicy.objects.update_or_create(kind=kind, defaults={"days": days})
    both, real = threading.Barrier(2), RetentionPolicy.clean
    answers: dict[str, int] = {}

    def clean(policy: RetentionPolicy) -> None:
        real(policy)
        with contextlib.suppress(threading.BrokenBarrierError):  # who must wait for the other does not come here
            both.wait(2)

    def save(kind: str, days: int) -> None:
        try:
            client = Client()
            client.force_login(boss)
            pk = RetentionPolicy.objects.get(kind=kind).pk
            answers[kind] = client.post(f"{LIST}{pk}/change/", {"days": days}).status_code
        finally:
            connection.close()

    monkeypatch.setattr(RetentionPolicy, "clean", clean)
    threads = [threading.Thread(target=save, args=each) for each in (("items", 1000), ("runs", 500))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [200, 302]
    kept = dict(RetentionPolicy.objects.values_list("kind", "days"))
    assert kept["items"] <= kept["runs"]


def test_nobody_adds_or_deletes_an_age(client):
    client.force_login(user(is_superuser=True))
    policy = RetentionPolicy.objects.first()
    assert client.post(f"{LIST}add/", {"kind": "runs", "days": "9"}).status_code == 403
    assert client.post(f"{LIST}{policy.pk}/delete/", {"post": "yes"}).status_code == 403
    assert RetentionPolicy.objects.count() == len(DAYS)


def test_what_changed_goes_at_an_age_of_its_own_of_runs_and_of_plain_calls(monkeypatch):
    run, probe = finished_run(5), probes(1)[0]
    poke(probe.pk)
    long_ago(30)
    ChangeSet.objects.filter(run=None).update(at=timezone.now() - timedelta(days=30))
    monkeypatch.setattr(retention, "CHUNK", 2)
    keep(changes=40, items=50, runs=60)
    retention.apply()
    assert ChangeSet.objects.count() == 6
    keep(changes=20, items=50, runs=60)
    retention.apply()
    assert not ChangeSet.objects.exists()
    assert (deletions("changes"), RunItem.objects.of(run).count()) == ([2, 2, 1, 1], 5)


def test_a_run_stays_while_something_is_kept_of_what_it_changed():
    run = finished_run()
    long_ago(30)
    keep(changes=None, items=7, runs=7)
    retention.apply()
    assert (list(Run.objects.all()), RunItem.objects.count(), ChangeSet.objects.count()) == ([run], 0, 5)


def test_an_undo_says_what_retention_has_dropped_and_its_list_goes_with_the_changes():
    run, other = finished_run(), finished_run()
    Probe.objects.update(result="by hand")
    assert work_off(undo(other, "anna")).conflicts
    long_ago(30)
    keep(changes=7, items=50, runs=60)
    retention.apply()
    with pytest.raises(EmptySelection, match=f"What run {run.pk} changed is no longer known: retention has dropped it"):
        undo(run, "anna")
    assert undoable.dropped(run) == 5
    assert not LeftAlone.objects.exists()


def test_a_run_stays_while_an_open_one_undoes_it():
    run = finished_run()
    again = undo(run, "anna")
    long_ago(30)
    Run.objects.filter(pk=again.pk).update(finished_at=None)
    keep(changes=7, items=7, runs=7)
    retention.apply()
    assert set(Run.objects.all()) == {run, again}


def test_the_old_entries_of_a_record_stay_when_its_runs_go():
    probe = probes(1)[0]
    log("anna", "record.edited", probe)
    work_off(poke_all())
    long_ago(30)
    keep(results=7, items=7, runs=7)
    retention.apply()
    assert Activity.objects.filter(model="probe.probe", object_id=str(probe.pk)).exists()
