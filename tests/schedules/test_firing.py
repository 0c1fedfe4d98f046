"""One firing per due time, whatever happens to beats, broker and clocks (FAULTS 22 and 24)."""

import json

import pytest
from celery import current_app, signals
from django_celery_beat.models import PeriodicTask

from backoffice.runs.models import Run, Worker
from backoffice.schedules import publish
from backoffice.schedules.fire import run_now
from backoffice.schedules.models import Firing, Lease, Missed, Overlap, ScheduleState
from tests.schedules import helpers

pytestmark = pytest.mark.django_db


def nightly(**values):
    kwargs = json.dumps({"task": helpers.PROCESS, "filter": {"processed": False}})
    return helpers.row("Nightly", crontab=helpers.crontab(), task=helpers.START_RUN, kwargs=kwargs, **values)


def option(row, **values):
    ScheduleState.objects.update_or_create(schedule=row, defaults=values)


def dues(state="sent"):
    return [f"{f.due_at:%d %H:%M}" for f in Firing.objects.filter(state=state).order_by("due_at")]


def test_a_schedule_fires_once_per_due_time_with_all_of_its_options(clock):
    row = helpers.row(
        args="[3]",
        queue="control",
        priority=2,
        expire_seconds=40,
        headers='{"x": "y"}',
        crontab=helpers.crontab("5 * * * *"),
    )
    scheduler = helpers.beat()
    for minute in range(130):
        clock.set(f"2026-01-05 {12 + minute // 60}:{minute % 60:02}:01")
        helpers.round_of(scheduler)
    assert dues() == ["05 12:05", "05 13:05", "05 14:05"]
    first = Firing.objects.earliest("pk")
    message = helpers.messages()[0]
    assert (message["periodic_task_name"], message["x"], message["firing"]) == ("Row", "y", first.pk)
    assert message["id"] == first.task_id
    row.refresh_from_db()
    assert row.total_run_count == 3
    assert row.last_run_at == clock.at.replace(hour=14, minute=5, second=1)


def test_two_beats_fire_once(clock):
    helpers.row()
    first, second = helpers.beat(), helpers.beat()
    second.leader.name = "beat@other/1"
    helpers.round_of(first)
    helpers.round_of(second)
    for _ in range(5):
        clock.go(seconds=60)
        helpers.round_of(first)
        helpers.round_of(second)
    assert len(helpers.messages()) == Firing.objects.count() == 5
    assert Worker.objects.filter(kind="beat").count() == 2


def test_two_beats_that_both_believe_they_lead_fire_once(clock):
    helpers.row()
    beats = helpers.beat(), helpers.beat()
    for scheduler in beats:
        scheduler.leader.lead = lambda: True
        helpers.round_of(scheduler)
    for _ in range(3):
        clock.go(seconds=60)
        for scheduler in beats:
            helpers.round_of(scheduler)
    assert len(helpers.messages()) == Firing.objects.count() == 3


def test_another_beat_takes_over_when_the_lease_runs_out_and_nothing_is_lost_or_repeated(clock):
    helpers.row()
    first, second = helpers.beat(), helpers.beat()
    second.leader.name = "beat@other/1"
    helpers.round_of(first)
    clock.go(seconds=58)
    helpers.round_of(first)
    clock.go(seconds=5)  # the first was killed
    helpers.round_of(second)
    assert dues() == []
    clock.go(seconds=2)
    helpers.round_of(second)
    assert Lease.current().holder == "beat@other/1"
    helpers.round_of(first)
    assert dues() == ["05 12:01"]


def test_a_beat_killed_before_it_published_leaves_a_firing_that_the_next_one_sends(clock, monkeypatch):
    helpers.row()
    first = helpers.beat()
    helpers.round_of(first)
    clock.go(seconds=60)
    monkeypatch.setattr(publish, "send", lambda row, firing: True)  # killed before a word left
    helpers.round_of(first)
    monkeypatch.undo()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    clock.go(seconds=10)
    second = helpers.beat()
    second.leader.name = "beat@other/1"
    helpers.round_of(second)
    helpers.round_of(second)
    assert len(helpers.messages()) == 1


def test_a_beat_killed_after_it_published_is_not_repeated(clock, monkeypatch):
    helpers.row()
    first = helpers.beat()
    helpers.round_of(first)
    clock.go(seconds=60)
    helpers.round_of(first)
    Firing.objects.update(state="waiting", sent_at=None, attempts=0)  # killed before it wrote that it had sent
    clock.go(seconds=10)
    second = helpers.beat()
    second.leader.name = "beat@other/1"
    helpers.round_of(second)
    assert len(helpers.messages()) == 1
    assert dues() == ["05 12:01"]


def test_a_firing_that_the_broker_did_not_take_is_sent_when_it_is_back(clock, monkeypatch):
    helpers.row()
    scheduler = helpers.beat()
    helpers.round_of(scheduler)

    def away(*args, **kwargs):
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(current_app.tasks[helpers.TICK], "apply_async", away)
    clock.go(seconds=60)
    helpers.round_of(scheduler)
    waiting = Firing.objects.get()
    assert (waiting.state, "broker could not be reached" in waiting.reason) == ("waiting", True)
    monkeypatch.undo()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    helpers.round_of(scheduler)
    assert len(helpers.messages()) == 1
    assert Firing.objects.get().state == "sent"


def downtime(clock, missed):
    row = helpers.row(crontab=helpers.crontab("0 * * * *"))
    option(row, missed=missed)
    helpers.round_of(helpers.beat())
    clock.set("2026-01-05 15:10:00")  # beat was down for three hours
    scheduler = helpers.beat()
    scheduler.leader.name = "beat@other/1"
    helpers.round_of(scheduler)
    clock.set("2026-01-05 16:00:01")
    helpers.round_of(scheduler)
    return row


def test_after_downtime_a_schedule_runs_once_at_once_and_says_what_was_missed(clock):
    downtime(clock, Missed.ONCE)
    assert dues() == ["05 15:00", "05 16:00"]
    missed = Firing.objects.get(state="skipped")
    assert (missed.times, f"{missed.due_at:%H:%M}") == (2, "13:00")
    assert "Beat was not running from 2026-01-05 12:00:06 to 2026-01-05 15:10:00" in missed.reason


def test_after_downtime_each_missed_firing_runs_where_asked(clock):
    row = downtime(clock, Missed.EACH)
    assert [f"{f.due_at:%H:%M}" for f in Firing.objects.filter(schedule=row).order_by("pk")] == [
        "13:00",
        "14:00",
        "15:00",
        "16:00",
    ]
    assert not Firing.objects.filter(state="skipped").exists()


def test_after_downtime_missed_firings_are_skipped_where_asked(clock):
    downtime(clock, Missed.SKIP)
    assert dues() == ["05 16:00"]
    assert Firing.objects.get(state="skipped").times == 3


def test_an_hour_fixed_crontab_is_neither_early_nor_lost_around_downtime(clock):
    helpers.row(crontab=helpers.crontab("0 2 * * *"))
    helpers.round_of(helpers.beat())
    for at in ("2026-01-06 01:59:59", "2026-01-06 03:30:00", "2026-01-07 01:00:00"):
        clock.set(at)
        scheduler = helpers.beat()
        scheduler.leader.name = f"beat@{at}"
        helpers.round_of(scheduler)
    assert dues() == ["06 02:00"]


def test_an_edited_time_that_has_passed_today_does_not_fire_at_once(clock):
    row = helpers.row(crontab=helpers.crontab("0 2 * * *"))
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    clock.go(minutes=5)
    PeriodicTask.objects.filter(pk=row.pk).update(crontab=helpers.crontab("0 9 * * *"))
    helpers.round_of(scheduler)
    assert dues() == []
    clock.set("2026-01-06 09:00:01")
    helpers.round_of(scheduler)
    assert dues() == ["06 09:00"]


def test_what_passes_while_a_schedule_is_off_is_not_missed(clock):
    row = helpers.row(crontab=helpers.crontab("0 * * * *"))
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)  # no signal, no save
    helpers.round_of(scheduler)
    clock.go(hours=5, minutes=30)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)
    helpers.round_of(scheduler)
    assert Firing.objects.count() == 0
    clock.go(minutes=31)
    helpers.round_of(scheduler)
    assert dues() == ["05 18:00"]


def test_beat_does_not_write_over_what_is_being_edited(clock):
    row = helpers.row(description="before")
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    PeriodicTask.objects.filter(pk=row.pk).update(description="after", args="[7]")
    clock.go(seconds=60)
    scheduler.leader.renewed_at = float("-inf")
    scheduler.tick()  # with the row as it was read before
    row.refresh_from_db()
    assert (row.description, row.args, row.total_run_count) == ("after", "[7]", 1)


@pytest.mark.parametrize("how", ["off", "deleted"])
def test_what_was_turned_off_or_deleted_this_second_does_not_fire(how, clock):
    row = helpers.row()
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    rows = PeriodicTask.objects.filter(pk=row.pk)
    rows.update(enabled=False) if how == "off" else rows.delete()
    clock.go(seconds=60)
    scheduler.leader.renewed_at = float("-inf")
    scheduler.tick()
    assert helpers.messages() == []
    assert scheduler.tick() <= 1.0


def test_a_clocked_row_fires_once_and_turns_itself_off(clock):
    row = helpers.clocked("Once", clock.at.replace(minute=10))
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    clock.go(minutes=11)
    for _ in range(3):
        helpers.round_of(scheduler)
    row.refresh_from_db()
    assert (len(helpers.messages()), row.enabled) == (1, False)


def test_a_schedule_still_at_work_is_skipped_with_the_reason(clock):
    helpers.partners()
    row = nightly()
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    clock.set("2026-01-06 02:00:01")
    helpers.round_of(scheduler)
    clock.set("2026-01-07 02:00:01")
    scheduler.repeated_at = float("inf")
    helpers.round_of(scheduler)
    skipped = Firing.objects.get(schedule=row, state="skipped")
    assert "not been picked up by a worker" in skipped.reason


@pytest.mark.parametrize(("overlap", "sent"), [(Overlap.QUEUE, 1), (Overlap.ALLOW, 2)])
def test_overlap_queue_waits_and_overlap_allow_does_not(overlap, sent, clock):
    row = nightly()
    option(row, overlap=overlap)
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    for day in (6, 7):
        clock.set(f"2026-01-0{day} 02:00:01")
        helpers.round_of(scheduler)
    assert len(dues()) == sent
    Firing.objects.filter(state="sent").update(note="done")
    helpers.round_of(scheduler)
    assert len(dues()) == 2


def test_a_start_of_a_run_that_no_worker_picked_up_is_sent_again_and_makes_one_run(clock):
    helpers.partners()
    nightly()
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    clock.set("2026-01-06 02:00:01")
    helpers.round_of(scheduler)
    clock.go(seconds=90)
    helpers.round_of(scheduler)
    helpers.round_of(scheduler)
    sent = helpers.messages()
    assert len(sent) == 2
    from backoffice.schedules.scheduled import start_run

    chosen = {"filter": {"processed": False}}
    answers = {start_run(helpers.PROCESS, chosen, schedule_name="Nightly", firing_id=m["firing"]) for m in sent}
    run = Run.objects.get()
    assert answers == {f"Started run {run.pk} over 3 records."}
    assert (run.source, run.schedule_name, Firing.objects.get().run) == ("schedule", "Nightly", run)


@pytest.mark.django_db(transaction=True)
def test_run_now_is_a_firing_beside_the_timetable(clock):
    row = helpers.row()
    helpers.round_of(scheduler := helpers.beat())
    run_now(row, "ada")
    assert helpers.messages()[0]["periodic_task_name"] == "Row"
    clock.go(seconds=60)
    helpers.round_of(scheduler)
    assert Firing.objects.filter(by="ada", state="sent").count() == 1
    assert Firing.objects.filter(by="").count() == 1


def test_the_sweep_leaves_no_history_and_its_messages_expire(clock):
    helpers.row(
        "Sweep", task="backoffice.runs.tasks.sweep", interval=helpers.interval(5), queue="control", expire_seconds=5
    )
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    for _ in range(4):
        clock.go(seconds=5)
        helpers.round_of(scheduler)
    assert (len(helpers.messages()), Firing.objects.count()) == (4, 0)


def test_beat_adds_no_backend_cleanup_for_redis_and_leaves_rows_of_the_configuration_alone(settings):
    scheduler = helpers.beat()
    scheduler.setup_schedule()
    assert not PeriodicTask.objects.exists()


def killed_after_publishing(clock):
    """A firing whose message left, by a beat that was killed before it wrote so."""
    helpers.round_of(helpers.beat())
    clock.go(seconds=60)
    helpers.round_of(helpers.beat())
    Firing.objects.update(state="waiting", sent_at=None, attempts=0)
    clock.go(seconds=10)
    second = helpers.beat()
    second.leader.name = "beat@other/1"
    return second


def test_a_message_that_a_worker_took_without_leaving_an_outcome_is_not_repeated(clock):
    helpers.row()
    second = killed_after_publishing(clock)
    task, firing = current_app.tasks[helpers.TICK], Firing.objects.get()
    current_app.control.purge()
    task.push_request(id=firing.task_id, headers={"firing": firing.pk})  # what a worker sees, and Celery signals
    try:
        signals.task_prerun.send(sender=task, task_id=firing.task_id, task=task, args=[], kwargs={})
    finally:
        task.pop_request()
    helpers.round_of(second)
    assert helpers.messages() == []
    assert (dues(), Firing.objects.get().attempts) == (["05 12:01"], 1)


def test_a_message_of_a_high_priority_is_found_in_the_list_that_redis_keeps_for_it(clock):
    helpers.row(queue="control", priority=3)
    helpers.round_of(killed_after_publishing(clock))
    assert len(helpers.messages_of_priority(3)) == 1
    assert dues() == ["05 12:01"]


def test_a_message_whose_answer_from_the_broker_was_lost_is_not_sent_twice(clock):
    helpers.row()
    scheduler = helpers.beat()
    helpers.round_of(scheduler)
    clock.go(seconds=60)
    helpers.round_of(scheduler)
    Firing.objects.update(state="waiting", sent_at=None, attempts=1, reason="The message broker could not be reached.")
    helpers.round_of(scheduler)
    assert len(helpers.messages()) == 1
    assert Firing.objects.get().state == "sent"


def test_due_times_during_an_outage_of_the_broker_say_so(clock, monkeypatch):
    helpers.row(interval=helpers.interval(10))
    scheduler = helpers.beat()
    helpers.round_of(scheduler)

    def frozen(*args, **kwargs):
        clock.go(seconds=25)  # it answers to nobody, and two more due times pass
        raise ConnectionError("Redis is frozen")

    with monkeypatch.context() as patch:
        patch.setattr(current_app.tasks[helpers.TICK], "apply_async", frozen)
        clock.go(seconds=10)
        for _ in range(2):
            helpers.round_of(scheduler)
    first, *later = Firing.objects.order_by("due_at")
    assert "broker could not be reached" in first.reason
    assert later
    assert all("broker could not be reached" in firing.reason for firing in later), [f.reason for f in later]


def test_the_log_of_beat_is_not_drowned_by_the_sweep(clock, caplog):
    caplog.set_level("INFO", "backoffice.schedules.publish")
    values = {"task": "backoffice.runs.tasks.sweep", "queue": "control", "expire_seconds": 5}
    helpers.row("Sweep", interval=helpers.interval(5), **values)
    helpers.row("Mine", interval=helpers.interval(5))
    helpers.round_of(scheduler := helpers.beat())
    clock.go(seconds=5)
    helpers.round_of(scheduler)
    assert [record.args[0] for record in caplog.records if "sent" in record.msg] == ["Mine"]
