"""`manage.py doctor` is shown damage of every kind, on real rows: it finds it, names it, says what to do, mends it."""

import io
import json
from datetime import timedelta

import pytest
from celery import current_app
from celery.result import AsyncResult
from django.core.management import call_command
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.desk.audit import retention
from backoffice.desk.models import RetentionPolicy
from backoffice.results.models import Activity
from backoffice.runs.models import Chunk, Run, RunItem, State
from backoffice.runs.sweep import sweep
from backoffice.testing import work_off
from tests.desk import factories
from tests.management.damage import FOR_PEOPLE, LONG_AGO, MENDED, a_row_is_deleted, claimed, ended
from tests.runs.factories import poke_all, probes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.fixture(autouse=True)
def _all_is_well():
    """Worker, beat, schedules; one run that ended a minute ago and one that has not begun."""
    call_command("setup_backoffice", stdout=io.StringIO())
    sweep()
    factories.worker()
    factories.beat()
    probes(4)
    probes(1, behaviour="fail")
    work_off(poke_all())
    RunItem.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    Run.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    poke_all()


def doctor(*arguments: str) -> int:
    try:
        call_command("doctor", *arguments)
    except SystemExit as ended:
        return int(ended.code)
    return 0


@pytest.mark.parametrize("damage", MENDED, ids=lambda damage: damage.__name__)
def test_damage_is_found_and_named_and_mended_for_good(damage, capsys):
    assert doctor() == 0, capsys.readouterr().out
    before = Activity.objects.count()
    damage()
    assert doctor() == 1
    out = capsys.readouterr().out
    assert MENDED[damage] in out
    assert "-> " in out
    assert Activity.objects.count() == before  # looking changes nothing
    assert doctor("--repair") == 0, capsys.readouterr().out
    assert Activity.objects.filter(verb="run.repaired", actor__startswith="manage.py doctor (").exists()
    assert "noted in the activity log" in capsys.readouterr().out
    assert doctor() == 0, capsys.readouterr().out
    the_accounts_agree_when_the_work_is_done()


def the_accounts_agree_when_the_work_is_done() -> None:
    for run in Run.objects.all():
        sweep()
        assert work_off(run).is_finished
        states = dict(run.items.values_list("record_id", "state"))
        rows = dict(TaskResult.objects.filter(task_id__startswith=run.uid).values_list("task_id", "status"))
        assert rows == {run.item_task_id(record): state for record, state in states.items()}
        assert {task_id: AsyncResult(task_id).state for task_id in rows} == rows
    assert not RunItem.objects.filter(active=True).exists()


@pytest.mark.parametrize("damage", FOR_PEOPLE, ids=lambda damage: damage.__name__)
def test_what_repair_cannot_mend_is_named_with_what_to_do(damage, capsys):
    damage()
    for arguments in ([], ["--repair"]):
        assert doctor(*arguments) == 1
        out = capsys.readouterr().out
        check, summary, advice = FOR_PEOPLE[damage]
        assert summary in out
        assert advice in out
    assert f"What --repair cannot mend: {check}." in out
    assert not Activity.objects.filter(verb="run.repaired").exists()


def test_a_key_that_redis_lost_is_no_damage():
    current_app.backend.client.flushall()
    assert doctor() == 0


def keep(**ages: int) -> None:
    for kind, days in ages.items():
        RetentionPolicy.objects.update_or_create(kind=kind, defaults={"days": days})


def test_rows_that_retention_deleted_before_their_run_ended_are_not_missed(capsys):
    """A run of many days: its first results are older than results are kept, its end is of today."""
    keep(results=7, items=365, runs=1825)
    begun = timezone.now() - timedelta(days=9)
    RunItem.objects.filter(state=State.SUCCESS).update(finished_at=begun)
    TaskResult.objects.filter(status="SUCCESS").update(date_done=begun)
    retention.apply()
    assert TaskResult.objects.filter(task_id__startswith=ended().uid).count() == 1
    assert doctor("--repair") == 0
    assert "Nothing had to be repaired." in capsys.readouterr().out
    TaskResult.objects.all().delete()
    assert doctor() == 1
    assert "1 rows missing" in capsys.readouterr().out  # the young one is


def test_runs_whose_items_retention_deleted_are_not_counted_again(settings):
    settings.CELERY_RESULT_EXPIRES = 30 * 86_400
    keep(results=7, items=7, runs=1825)
    run, nine_days = ended(), timedelta(days=9)
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now() - nine_days)
    TaskResult.objects.update(date_done=timezone.now() - nine_days)
    retention.apply()
    assert not run.items.exists()
    assert doctor("--repair") == 0
    assert ended().succeeded == 4


def test_a_row_written_again_has_the_time_of_its_outcome():
    row = TaskResult.objects.filter(status="FAILURE").get()
    TaskResult.objects.filter(pk=row.pk).delete()
    assert doctor("--repair") == 0
    item = RunItem.objects.get(state=State.FAILURE)
    again = TaskResult.objects.get(task_id=item.task_id)
    assert again.date_done == item.finished_at
    assert json.loads(again.result)["exc_type"] == "ValueError"


def test_nobody_is_charged_for_a_lease_that_repair_releases():
    probes(1)
    single = claimed(lease_until=timezone.now() - LONG_AGO, size=1)
    doctor("--repair")
    assert not Chunk.objects.filter(pk=single.pk).exists()
    assert not RunItem.objects.filter(deaths__gt=0).exists()


def test_json_tells_what_was_repaired(capsys):
    a_row_is_deleted()
    assert doctor("--repair", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["repaired"]["rows_missing"]) == (True, 1)
