"""Whoever may see or fire a schedule sees its runs, planned ones too; and planned runs stand where people look."""

from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from backoffice.desk.audit.details import facts
from backoffice.desk.home.live import live
from backoffice.results.models import Activity
from backoffice.runs.access import may_see
from backoffice.runs.models import Run
from backoffice.runs.pages import timeline
from backoffice.runs.start import RunRequest, activate, start_requested
from backoffice.schedules import later, scheduled
from backoffice.schedules.beat import fire
from backoffice.schedules.models import Firing
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.runs.clicks import page
from tests.schedules.factories import SCHEDULER, nightly, partners
from tests.schedules.tasks import PROCESS

pytestmark = pytest.mark.django_db
SEE, FIRE = "django_celery_beat.view_periodictask", "django_celery_beat.change_periodictask"


@pytest.fixture
def fired() -> Run:
    """Of a schedule that is nobody's, as a worker makes it from the firing's message."""
    partners()
    schedule = nightly()
    firing = fire.run_now(schedule, "somebody")
    scheduled.start_run(PROCESS, {}, schedule_name=schedule.name, firing_id=firing.pk)
    return work_off(Run.objects.get())


@pytest.fixture
def planned() -> Run:
    partners()
    request = RunRequest(requester=factories.user(is_superuser=True), due_at=timezone.now() + timedelta(hours=1))
    return later.plan(YourModel.objects.all(), PROCESS, request)


@pytest.mark.parametrize(
    ("permissions", "sees"),
    [((SEE,), True), ((FIRE,), True), (("runs.view_run",), True), (("schedules.view_firing",), False), ((), False)],
)
@pytest.mark.parametrize("kind", ["fired", "planned"])
def test_who_sees_the_runs_of_schedules(client, request, kind, permissions, sees):
    run, who = request.getfixturevalue(kind), factories.user(*permissions)
    client.force_login(who)
    assert may_see(who, run) == sees
    assert Run.objects.visible_to(who).filter(pk=run.pk).exists() == sees
    status = 200 if sees else 404
    for name in ("change", "progress", "live"):
        assert client.get(page(run, name)).status_code == status
    listed = client.get(reverse("admin:runs_run_changelist")).context["cl"].result_list
    assert (run.pk in [row.pk for row in listed]) == sees


def test_other_people_s_runs_stay_theirs(client):
    partners()
    who = factories.member("Scheduler")
    for source in (Run.Source.ACTION, Run.Source.COMMAND, Run.Source.RETRY):
        run = work_off(start_requested(YourModel.objects.all(), PROCESS, RunRequest(source=source)))
        assert not may_see(who, run)
        assert not Run.objects.visible_to(who).filter(pk=run.pk).exists()


def test_a_run_is_not_cancelled_or_retried_by_who_may_only_see_it(client, planned):
    client.force_login(factories.user(SEE))
    assert client.post(page(planned, "cancel")).status_code == 403


def test_run_now_leads_the_scheduler_to_the_run(client, fired):
    client.force_login(factories.member("Scheduler"))
    firing = Firing.objects.get()
    history = client.get(reverse("admin:django_celery_beat_periodictask_change", args=[firing.schedule_id])).text
    assert page(fired) in history
    assert client.get(page(fired)).status_code == 200


def test_run_now_says_who_pressed_it_and_leads_to_what_came_of_it(client):
    partners()
    rights = (*SCHEDULER, "runs.view_run", "records.process_yourmodel", "records.view_yourmodel")
    who, schedule = factories.user(*rights, username="ada"), nightly()
    client.force_login(who)
    sent = {"action": "run_selected", "_selected_action": [schedule.pk], "confirmed": "1", "index": "0"}
    said = client.post(reverse("admin:django_celery_beat_periodictask_changelist"), sent, follow=True).text
    firing = Firing.objects.get()
    link = reverse("admin:schedules_firing_run", args=[firing.pk])
    assert f'Started: {schedule.name} (<a class="bo-link" href="{link}">go to its run</a>)' in said
    history = reverse("admin:django_celery_beat_periodictask_change", args=[schedule.pk])
    assert client.get(link).url == f"{history}#firings"
    scheduled.start_run(PROCESS, {}, schedule_name=schedule.name, firing_id=firing.pk)
    run = work_off(Run.objects.get())
    assert client.get(link).url == page(run)
    client.force_login(factories.user("schedules.view_firing"))
    assert client.get(link).status_code == 403
    client.force_login(who)
    assert (run.requester, run.requester_name, run.source) == (who, "ada", Run.Source.SCHEDULE)
    entry = Activity.objects.get(verb="run.started")
    assert (entry.actor, run.source_words, dict(facts(entry))["Started by"]) == ("ada", *["schedule, run by hand"] * 2)
    assert Run(source=Run.Source.SCHEDULE).source_words == "schedule"
    assert timeline.of_record(YourModel, YourModel.objects.first().pk, who).entries[0].who == "ada"
    (row,) = client.get(reverse("admin:django_celery_beat_periodictask_changelist")).context["cl"].result_list
    firing.refresh_from_db()
    assert row.last_fired == firing.sent_at


def asked_by(who) -> HttpRequest:
    request = HttpRequest()
    request.user = who
    return request


def test_planned_runs_stand_on_the_desk_with_their_time_until_they_begin(client, planned):
    who = factories.member("Scheduler")
    client.force_login(who)
    (row,) = live(asked_by(who)).planned
    assert (row.id, row.due) == (planned.pk, planned.due_at)
    html = client.get("/admin/").text
    assert f"{timezone.localtime(planned.due_at):%Y-%m-%d %H:%M}" in html
    assert page(planned) in html
    assert live(asked_by(factories.user())).planned == []
    assert activate(planned.pk)
    assert live(asked_by(who)).planned == []


def test_a_planned_run_stands_on_its_records_with_its_time(client, planned):
    client.force_login(factories.member("Scheduler"))
    record = YourModel.objects.first()
    html = client.get(reverse("admin:records_yourmodel_change", args=[record.pk])).text
    assert page(planned) in html
    assert ">planned</span>" in html
    assert f"{timezone.localtime(planned.due_at):%Y-%m-%d %H:%M}" in html
    html = client.get(reverse("admin:desk_timeline", args=["records.yourmodel", record.pk])).text
    assert "planned" in html


def test_a_firing_names_what_this_person_may_not_open(client, fired):
    client.force_login(factories.user("schedules.view_firing"))
    firing = Firing.objects.get()
    html = client.get(reverse("admin:schedules_firing_change", args=[firing.pk])).text
    assert f"Run {fired.pk}" in html
    assert page(fired) not in html
    assert "/admin/django_celery_beat/periodictask/" not in html
