"""The tables of timings: every schedule that a change concerns has its entry, and none goes with a deletion."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, PeriodicTask, SolarSchedule

from backoffice.results.models import Activity
from tests.schedules import factories
from tests.schedules.pages.pages import untouched

pytestmark = pytest.mark.django_db

KINDS: dict[str, Any] = {
    "interval": (lambda: factories.interval(60), {"every": "90"}, "every"),
    "crontab": (lambda: factories.crontab("0 2 * * *", "Japan"), {"hour": "3"}, "minute"),
    "clocked": (
        lambda: ClockedSchedule.objects.create(clocked_time=timezone.now() + timedelta(days=1)),
        {"clocked_time": "2099-01-01T10:00:30"},
        "clocked_time",
    ),
}


def used_by(kind: str, *names: str) -> Any:
    timing = KINDS[kind][0]()
    for name in names:
        factories.row(name, one_off=kind == "clocked", **{kind: timing})
    return timing


def url(kind: str, verb: str, timing: Any = None) -> str:
    return reverse(f"admin:django_celery_beat_{kind}schedule_{verb}", args=[timing.pk] if timing else [])


def save(client: Any, kind: str, timing: Any, **changes: Any) -> Any:
    page = client.get(url(kind, "change", timing)).content.decode()
    return client.post(url(kind, "change", timing), {**untouched(page, KINDS[kind][2]), **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_editing_a_timing_writes_one_entry_for_each_schedule_on_it(kind, admin_client):
    timing = used_by(kind, "One", "Two")
    assert save(admin_client, kind, timing, **KINDS[kind][1]).status_code == 302
    entries = Activity.objects.filter(verb="schedule.changed").order_by("target")
    assert [(entry.actor, entry.target) for entry in entries] == [("admin", "One"), ("admin", "Two")]
    before, after = entries[0].details["changes"]["when"]
    assert before != after
    row = PeriodicTask.objects.get(name="One")
    page = admin_client.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).content.decode()
    assert "Nobody has changed it" not in page
    assert after in page


@pytest.mark.parametrize("kind", KINDS)
def test_a_timing_opened_and_saved_changes_and_logs_nothing(kind, admin_client):
    timing = used_by(kind, "One")
    before = type(timing).objects.values().get()
    assert save(admin_client, kind, timing).status_code == 302
    assert type(timing).objects.values().get() == before
    assert not Activity.objects.filter(verb__startswith="schedule").exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("how", ["page", "action"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_deletion_that_would_take_schedules_along_is_refused_with_their_names(kind, how, admin_client):
    timing = used_by(kind, "One", "Two")
    if how == "page":
        answer = admin_client.post(url(kind, "delete", timing), {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [timing.pk], "post": "yes"}
        answer = admin_client.post(url(kind, "changelist"), data)
    for name in ("One", "Two"):
        assert f"the schedule “{name}” uses it" in answer.content.decode()
    assert PeriodicTask.objects.count() == 2
    assert type(timing).objects.exists()


def test_a_timing_that_nobody_uses_is_deleted_and_logged(admin_client):
    timing = SolarSchedule.objects.create(event="sunset", latitude=1, longitude=1)
    assert admin_client.post(url("solar", "delete", timing), {"post": "yes"}).status_code == 302
    assert not SolarSchedule.objects.exists()
    assert Activity.objects.filter(verb="timing.deleted", actor="admin").exists()
