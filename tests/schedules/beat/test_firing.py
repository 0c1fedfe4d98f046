"""One firing per due time, with all of the row's options, and none of what was turned off or deleted."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run
from backoffice.schedules import scheduled
from backoffice.schedules.beat import publish, unsent
from backoffice.schedules.beat.fire import run_now
from backoffice.schedules.models import Firing
from backoffice.schedules.rules.verify import BadSchedule
from tests.schedules import factories, queued, rounds
from tests.schedules.rounds import dues
from tests.schedules.tasks import PROCESS

pytestmark = pytest.mark.django_db


def test_a_schedule_fires_once_per_due_time_with_all_of_its_options(clock):
    row = factories.row(
        args="[3]",
        queue="control",
        priority=2,
        expire_seconds=40,
        headers='{"x": "y"}',
        crontab=factories.crontab("5 * * * *"),
    )
    scheduler = rounds.beat()
    for minute in range(130):
        clock.set(f"2026-01-05 {12 + minute // 60}:{minute % 60:02}:01")
        rounds.round_of(scheduler)
    assert dues() == ["05 12:05", "05 13:05", "05 14:05"]
    first = Firing.objects.earliest("pk")
    message = queued.messages()[0]
    assert (message["periodic_task_name"], message["x"], message["backoffice-firing"]) == ("Row", "y", first.pk)
    assert message["id"] == first.task_id
    row.refresh_from_db()
    assert row.total_run_count == 3
    assert row.last_run_at == clock.at.replace(hour=14, minute=5, second=1)


def test_beat_does_not_write_over_what_is_being_edited(clock):
    row = factories.row(description="before")
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    PeriodicTask.objects.filter(pk=row.pk).update(description="after", args="[7]")
    clock.go(seconds=60)
    scheduler.leader.renewed_at = float("-inf")
    scheduler.tick()  # with the row as it was read before
    row.refresh_from_db()
    assert (row.description, row.args, row.total_run_count) == ("after", "[7]", 1)


@pytest.mark.parametrize("how", ["off", "deleted"])
def test_what_was_turned_off_or_deleted_this_second_does_not_fire(how, clock):
    row = factories.row()
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    rows = PeriodicTask.objects.filter(pk=row.pk)
    rows.update(enabled=False) if how == "off" else rows.delete()
    clock.go(seconds=60)
    scheduler.leader.renewed_at = float("-inf")
    scheduler.tick()
    assert queued.messages() == []
    assert scheduler.tick() <= 1.0


def test_a_schedule_deleted_between_decision_and_message_or_before_a_worker_took_it_runs_nothing():
    factories.partners()
    row = factories.nightly()
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now())
    PeriodicTask.objects.get(pk=row.pk).delete()
    publish.send([(row, firing)])
    assert queued.messages() == []
    unsent.Backlog().send(lambda: True)
    firing.refresh_from_db()
    assert (firing.state, "deleted" in firing.reason) == (Firing.State.SKIPPED, True)
    said = scheduled.start_run(PROCESS, {}, schedule_name=row.name, firing_id=firing.pk)
    assert said == "The schedule was deleted before a worker took its message."
    assert not Run.objects.exists()


def test_run_now_of_a_schedule_deleted_meanwhile_says_so():
    row = factories.row()
    PeriodicTask.objects.filter(pk=row.pk).delete()
    with pytest.raises(BadSchedule, match="It was deleted meanwhile"):
        run_now(row, "ada")


def test_a_clocked_row_fires_once_and_turns_itself_off(clock):
    row = factories.clocked("Once", clock.at.replace(minute=10))
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.go(minutes=11)
    for _ in range(3):
        rounds.round_of(scheduler)
    row.refresh_from_db()
    assert (len(queued.messages()), row.enabled) == (1, False)


@pytest.mark.django_db(transaction=True)
def test_run_now_is_a_firing_beside_the_timetable(clock):
    row = factories.row()
    rounds.round_of(scheduler := rounds.beat())
    run_now(row, "ada")
    assert queued.messages()[0]["periodic_task_name"] == "Row"
    clock.go(seconds=60)
    rounds.round_of(scheduler)
    assert Firing.objects.filter(by="ada", state="sent").count() == 1
    assert Firing.objects.filter(by="").count() == 1


def test_the_sweep_leaves_no_history_and_its_messages_expire(clock):
    factories.row(
        "Sweep", task="backoffice.runs.tasks.sweep", interval=factories.interval(5), queue="control", expire_seconds=5
    )
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    for _ in range(4):
        clock.go(seconds=5)
        rounds.round_of(scheduler)
    assert (len(queued.messages()), Firing.objects.count()) == (4, 0)


def test_beat_adds_no_backend_cleanup_for_redis_and_leaves_rows_of_the_configuration_alone(settings):
    scheduler = rounds.beat()
    scheduler.setup_schedule()
    assert not PeriodicTask.objects.exists()


def test_the_log_of_beat_is_not_drowned_by_the_sweep(clock, caplog):
    caplog.set_level("INFO", "backoffice.schedules.beat.publish")
    values = {"task": "backoffice.runs.tasks.sweep", "queue": "control", "expire_seconds": 5}
    factories.row("Sweep", interval=factories.interval(5), **values)
    factories.row("Mine", interval=factories.interval(5))
    rounds.round_of(scheduler := rounds.beat())
    clock.go(seconds=5)
    rounds.round_of(scheduler)
    assert [record.args[0] for record in caplog.records if "sent" in record.msg] == ["Mine"]


def test_a_mark_from_before_the_clock_was_set_back_holds_no_firing_up():
    row = factories.row()
    for due, ahead in enumerate((timedelta(seconds=1), timedelta(hours=1))):
        due_at, tried_at = timezone.now() + timedelta(seconds=due), timezone.now() + ahead
        Firing.objects.create(schedule=row, schedule_name=row.name, due_at=due_at, tried_at=tried_at, attempts=1)
    assert [firing.tried_at > timezone.now() + timedelta(minutes=30) for firing in Firing.objects.untaken()] == [True]
