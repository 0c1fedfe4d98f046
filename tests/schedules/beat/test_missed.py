"""FAULTS 24: what passes while nothing runs, while a schedule is off, and when clocks are set."""

import pytest
from django_celery_beat.models import PeriodicTask

from backoffice.schedules.models import Firing, Missed
from tests.schedules import factories, rounds
from tests.schedules.factories import option
from tests.schedules.rounds import dues

pytestmark = pytest.mark.django_db


def downtime(clock, missed):
    row = factories.row(crontab=factories.crontab("0 * * * *"))
    option(row, missed=missed)
    rounds.round_of(rounds.beat())
    clock.set("2026-01-05 15:10:00")  # beat was down for three hours
    scheduler = rounds.beat()
    scheduler.leader.name = "beat@other/1"
    rounds.round_of(scheduler)
    clock.set("2026-01-05 16:00:01")
    rounds.round_of(scheduler)
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
    factories.row(crontab=factories.crontab("0 2 * * *"))
    rounds.round_of(rounds.beat())
    for at in ("2026-01-06 01:59:59", "2026-01-06 03:30:00", "2026-01-07 01:00:00"):
        clock.set(at)
        scheduler = rounds.beat()
        scheduler.leader.name = f"beat@{at}"
        rounds.round_of(scheduler)
    assert dues() == ["06 02:00"]


def test_an_edited_time_that_has_passed_today_does_not_fire_at_once(clock):
    row = factories.row(crontab=factories.crontab("0 2 * * *"))
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    clock.go(minutes=5)
    PeriodicTask.objects.filter(pk=row.pk).update(crontab=factories.crontab("0 9 * * *"))
    rounds.round_of(scheduler)
    assert dues() == []
    clock.set("2026-01-06 09:00:01")
    rounds.round_of(scheduler)
    assert dues() == ["06 09:00"]


def test_what_passes_while_a_schedule_is_off_is_not_missed(clock):
    row = factories.row(crontab=factories.crontab("0 * * * *"))
    scheduler = rounds.beat()
    rounds.round_of(scheduler)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)  # no signal, no save
    rounds.round_of(scheduler)
    clock.go(hours=5, minutes=30)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)
    rounds.round_of(scheduler)
    assert Firing.objects.count() == 0
    clock.go(minutes=31)
    rounds.round_of(scheduler)
    assert dues() == ["05 18:00"]


def test_a_clock_that_ran_a_year_ahead_and_was_set_back_silences_no_schedule(clock):
    factories.row(crontab=factories.crontab("0 * * * *"))
    rounds.round_of(rounds.beat())
    clock.set("2027-01-05 12:00:01")
    factories.row("Made meanwhile", crontab=factories.crontab("30 * * * *"))
    rounds.round_of(rounds.beat())
    Firing.objects.all().delete()
    clock.set("2026-01-05 12:30:00")
    scheduler = rounds.beat()
    scheduler.leader.name = "beat@restarted/1"
    for _half_hour in range(5):
        rounds.round_of(scheduler)
        clock.go(minutes=30)
    assert dues() == ["05 13:00", "05 13:30", "05 14:00", "05 14:30"]
