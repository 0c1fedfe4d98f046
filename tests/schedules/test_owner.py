"""Whose a schedule and a planned run are, and that they are asked again when it fires."""

import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.results.models import Activity
from backoffice.runs import sweep
from backoffice.runs.models import Run, RunItem
from backoffice.schedules import enabling, owner
from backoffice.schedules.models import Firing, ScheduleState
from backoffice.schedules.scheduled import start_due, start_run
from tests.factories import user
from tests.schedules import factories, queued, rounds
from tests.schedules.clock import in_hours
from tests.schedules.factories import SCHEDULER
from tests.schedules.form.test_form import ADD, GOOD
from tests.schedules.tasks import PROCESS, START_RUN
from tests.schedules.test_later import ask

pytestmark = pytest.mark.django_db

LIST = "admin:django_celery_beat_periodictask_changelist"
RIGHTS = (*SCHEDULER, "records.process_yourmodel", "records.view_yourmodel")

GONE = {
    "deactivated": (lambda user: User.objects.filter(pk=user.pk).update(is_active=False), "deactivated"),
    "no longer staff": (lambda user: User.objects.filter(pk=user.pk).update(is_staff=False), "no longer staff"),
    "stripped of the permission": (
        lambda user: user.user_permissions.remove(user.user_permissions.get(codename="process_yourmodel")),
        "no longer",
    ),
    "deleted": (lambda user: user.delete(), "deleted"),
}


@pytest.fixture
def sam(client):
    person = user(*RIGHTS, username="sam")
    client.force_login(person)
    return person


def made(client) -> PeriodicTask:
    assert client.post(reverse(ADD), {**GOOD, "zone": "UTC"}).status_code == 302
    return PeriodicTask.objects.get(name=GOOD["name"])


def fire(clock) -> None:
    """From the afternoon before until after two o'clock."""
    scheduler = rounds.beat()
    clock.at = timezone.now()
    rounds.round_of(scheduler)
    clock.go(days=1)
    rounds.round_of(scheduler)


def test_the_owner_is_who_saved_it_last_and_the_page_names_them(client, sam):
    row = made(client)
    assert (row.state.owner_id, row.state.owner_name) == (sam.pk, "sam")
    kim = user(*RIGHTS, username="kim")
    client.force_login(kim)
    change = reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])
    assert "It is sam&#x27;s" in client.get(change).content.decode()
    client.post(change, {**GOOD, "zone": "UTC", "description": "Mine now"})
    assert ScheduleState.objects.get().owner_name == "kim"


def test_a_schedule_of_somebody_who_may_still_start_it_fires(client, sam, clock):
    factories.partners()
    made(client)
    fire(clock)
    assert [m["task"] for m in queued.messages()] == [START_RUN]


@pytest.mark.parametrize("how", GONE)
def test_a_schedule_whose_owner_may_no_longer_start_it_is_turned_off_and_says_so(how, client, sam, clock):
    row = made(client)
    remove, word = GONE[how]
    remove(sam)
    fire(clock)
    row.refresh_from_db()
    assert (queued.messages(), row.enabled) == ([], False)
    firing = Firing.objects.get()
    assert firing.state == "skipped"
    for text in (firing.reason, row.state.reason, Activity.objects.get(verb="schedule.disabled").details["reason"]):
        assert "sam" in text
        assert word in text


@pytest.mark.parametrize("how", GONE)
def test_a_message_that_waited_in_the_queue_is_asked_about_again_by_the_worker(how, client, sam):
    factories.partners()
    row = made(client)
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now(), state="sent")
    GONE[how][0](sam)
    answer = start_run(PROCESS, {}, schedule_name="renamed since", firing_id=firing.pk)
    assert GONE[how][1] in answer
    row.refresh_from_db()
    assert (Run.objects.count(), row.enabled, Firing.objects.get().note) == (0, False, answer)


def test_a_firing_that_waited_for_the_broker_is_asked_about_again_when_it_is_sent(client, sam, clock):
    row = made(client)
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now(), reason="Redis is away.")
    GONE["deactivated"][0](sam)
    rounds.round_of(rounds.beat())
    firing.refresh_from_db()
    assert (queued.messages(), firing.state) == ([], "skipped")


def test_what_was_started_already_is_not_taken_back_by_a_second_delivery(client, sam):
    factories.partners()
    row = made(client)
    firing = Firing.objects.create(schedule=row, schedule_name=row.name, due_at=timezone.now(), state="sent")
    start_run(PROCESS, {}, schedule_name=row.name, firing_id=firing.pk)
    GONE["deactivated"][0](sam)
    start_run(PROCESS, {}, schedule_name=row.name, firing_id=firing.pk)
    row.refresh_from_db()
    assert (Run.objects.count(), Firing.objects.get().run_id, row.enabled) == (1, Run.objects.get().pk, True)


def test_rows_without_an_owner_keep_firing(clock):
    factories.nightly()
    fire(clock)
    assert len(queued.messages()) == 1
    assert "nobody's" in owner.in_words(PeriodicTask.objects.get())


@pytest.mark.parametrize("verb", [enabling.enable, enabling.turn_off])
def test_whoever_turns_it_on_has_it_and_whoever_turns_it_off_has_not(verb, client, sam):
    row = made(client)
    kim = user(*RIGHTS, username="kim")
    PeriodicTask.objects.update(enabled=verb is enabling.turn_off)
    verb(PeriodicTask.objects.get(), kim)
    assert ScheduleState.objects.get(pk=row.pk).owner_name == ("kim" if verb is enabling.enable else "sam")


def test_the_machines_own_schedules_stay_the_machines(admin_client, admin_user):
    sweep_row = factories.row("Sweep", task="backoffice.runs.tasks.sweep", enabled=False)
    enabling.enable(sweep_row, admin_user)
    User.objects.update(is_active=False)
    assert owner.objection(sweep_row) == ""
    assert ScheduleState.objects.get().owner_id is None


def test_run_now_goes_by_the_rights_of_whoever_pressed_it_and_leaves_the_timetable_alone(client, sam):
    row = made(client)
    GONE["deactivated"][0](sam)
    values = {"schedule": row, "schedule_name": row.name, "due_at": timezone.now()}
    kim = user(*RIGHTS, username="kim")
    assert owner.objection(row, Firing(**values, by="kim")) == ""
    GONE["stripped of the permission"][0](kim)
    firing = Firing.objects.create(**values, by="kim")
    assert owner.stops(row, firing)
    row.refresh_from_db()
    assert row.enabled


@pytest.mark.parametrize("how", GONE)
def test_a_planned_run_of_somebody_who_may_no_longer_start_it_is_cancelled_with_the_reason(how, client, sam):
    ask(client, factories.partners(2), due_at=in_hours(1))
    run = Run.objects.get()
    assert GONE[how][0](sam) is not False
    answer = start_due(run.pk)
    run.refresh_from_db()
    assert (run.activated_at, run.cancelled_by, run.cancel_reason) == (None, "system", answer)
    assert "sam" in answer
    assert GONE[how][1] in answer
    assert Activity.objects.get(verb="run.cancelled").details["reason"] == answer
    sweep.sweep()
    run.refresh_from_db()
    assert (run.state, run.revoked) == ("REVOKED", 2)
    assert GONE[how][1] in RunItem.objects.first().error
    assert start_due(run.pk) == answer


def test_the_sweep_that_catches_a_missed_start_asks_too(client, sam):
    ask(client, factories.partners(2), due_at=in_hours(1))
    GONE["deactivated"][0](sam)
    Run.objects.update(due_at=timezone.now())
    sweep.sweep()
    run = Run.objects.get()
    assert (run.activated_at, run.cancelled_by) == (None, "system")
    client.force_login(user("runs.view_run", username="val"))
    assert "has been deactivated since" in client.get(reverse("admin:runs_run_change", args=[run.pk])).content.decode()


def test_a_planned_run_whose_requester_may_still_start_it_starts(client, sam):
    ask(client, factories.partners(2), due_at=in_hours(1))
    assert start_due(Run.objects.get().pk).startswith("Started run")


def test_kwargs_of_the_row_decide_what_is_asked(sam):
    row = factories.row(task=START_RUN, kwargs=json.dumps({"task": "records.tasks.apply_corrections"}))
    ScheduleState.objects.create(schedule=row, owner=sam, owner_name="sam")
    assert "may no longer start" in owner.objection(row)
