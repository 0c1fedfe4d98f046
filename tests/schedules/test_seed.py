"""Set-up writes what a new installation needs, once."""

import json

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from backoffice.schedules import enabling
from backoffice.schedules.rules import permitted
from backoffice.schedules.rules.verify import verify
from tests.schedules import rounds

pytestmark = pytest.mark.django_db

NIGHTLY = "Process what needs it every night"


def set_up(capsys) -> str:
    call_command("setup_backoffice")
    return capsys.readouterr().out


def test_set_up_writes_groups_and_sound_schedules_and_says_so(capsys):
    assert NIGHTLY in set_up(capsys)
    assert {"Operator", "Scheduler", "Auditor"} <= set(Group.objects.values_list("name", flat=True))
    for row in PeriodicTask.objects.all():
        verify(row)
    sweep = PeriodicTask.objects.get(name="Sweep")
    assert (str(sweep.interval), sweep.queue, sweep.expire_seconds) == ("every 5 seconds", "control", 5)
    assert json.loads(PeriodicTask.objects.get(name=NIGHTLY).kwargs)["only_needed"] is True


def test_set_up_twice_changes_nothing(capsys):
    set_up(capsys)
    before = list(PeriodicTask.objects.values())
    assert "Nothing to set up" in set_up(capsys)
    assert list(PeriodicTask.objects.values()) == before


def test_what_staff_edited_or_deleted_stays_so(capsys):
    set_up(capsys)
    PeriodicTask.objects.filter(name=NIGHTLY).delete()
    PeriodicTask.objects.filter(name="Sweep").update(description="mine", enabled=False)
    Group.objects.get(name="Operator").permissions.clear()
    set_up(capsys)
    sweep = PeriodicTask.objects.get(name="Sweep")
    assert (sweep.description, sweep.enabled) == ("mine", False)
    assert not PeriodicTask.objects.filter(name=NIGHTLY).exists()
    assert not Group.objects.get(name="Operator").permissions.exists()


def test_a_removed_system_schedule_comes_back(capsys):
    set_up(capsys)
    PeriodicTask.objects.filter(name="Sweep").delete()
    assert set_up(capsys).strip() == "Written: Sweep."


def test_a_system_schedule_that_an_older_beat_turned_off_is_on_again_and_staffs_are_not(capsys):
    set_up(capsys)
    for row in PeriodicTask.objects.all():
        enabling.disable(row.pk, enabling.BEAT, "There is no such task.")
    sweep, other = PeriodicTask.objects.get(name="Sweep"), PeriodicTask.objects.get(name="Clear ended sessions")
    enabling.enable(other, "a person")
    enabling.disable(other.pk, "a person")
    rounds.beat().setup_schedule()
    on = set(PeriodicTask.objects.filter(enabled=True).values_list("task", flat=True))
    assert on == set(permitted.system_names()) & set(PeriodicTask.objects.values_list("task", flat=True)) - {other.task}
    sweep.refresh_from_db()
    assert (sweep.state.reason, sweep.state.off_by) == ("", "")
