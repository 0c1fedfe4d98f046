"""The list of schedules, its actions, and who may do what."""

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from backoffice.results.models import Activity
from backoffice.runs.models import Worker
from backoffice.schedules import enabling
from backoffice.schedules.models import Firing
from tests.factories import user
from tests.schedules import factories, queued
from tests.schedules.factories import SCHEDULER
from tests.schedules.tasks import PROCESS, START_RUN

pytestmark = pytest.mark.django_db

LIST = "admin:django_celery_beat_periodictask_changelist"


def system_row():
    values = {"task": "backoffice.runs.tasks.sweep", "interval": factories.interval(5), "expire_seconds": 5}
    return factories.row("Sweep", queue="control", **values)


def act(client, action, *rows, confirmed=True):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(LIST), data | ({"confirmed": "1"} if confirmed else {}), follow=True)


@pytest.fixture
def sam(client):
    client.force_login(user(*SCHEDULER, username="sam"))
    return client


def test_the_list_shows_what_when_next_state_and_reason(sam):
    factories.row("Mine", crontab=factories.crontab("15 3 * * 1-5", "Europe/Berlin"))
    bad = factories.row("Bad")
    enabling.disable(bad.pk, enabling.BEAT, "The headers are not JSON.")
    page = sam.get(reverse(LIST)).content.decode()
    for text in ("Mine", "03:15", "Monday", "Europe/Berlin", "Tick", "The headers are not JSON."):
        assert text in page


@pytest.mark.parametrize("number", [3, 30])
def test_the_list_asks_the_database_as_often_for_thirty_rows_as_for_three(number, sam, django_assert_max_num_queries):
    for n in range(number):
        factories.row(f"Row {n}", crontab=factories.crontab(f"{n} * * * *"))
    sam.get(reverse(LIST))
    with django_assert_max_num_queries(12):
        sam.get(reverse(LIST))


@pytest.mark.parametrize("action", ["run_selected", "enable_selected", "disable_selected", "delete_selected"])
def test_a_person_who_may_only_look_can_do_nothing(action, client):
    client.force_login(user("django_celery_beat.view_periodictask", username="val"))
    row = factories.row()
    act(client, action, row)
    row.refresh_from_db()
    assert (row.enabled, queued.messages(), Firing.objects.count()) == (True, [], 0)


def test_an_action_asks_before_it_acts(sam):
    row = factories.row()
    assert "Run now" in act(sam, "run_selected", row, confirmed=False).content.decode()
    assert queued.messages() == []


@pytest.mark.django_db(transaction=True)
def test_run_now_goes_the_way_of_a_firing_with_all_options_and_is_logged(sam):
    row = factories.row(args="[4]", queue="control", priority=3)
    act(sam, "run_selected", row)
    firing = Firing.objects.get()
    assert (firing.by, firing.state, firing.task_id) == ("sam", "sent", queued.messages_of_priority(3)[0]["id"])
    assert Activity.objects.filter(verb="schedule.run_now", actor="sam").exists()


def test_turning_off_and_on_says_who_did_it(sam):
    row = factories.row()
    act(sam, "disable_selected", row)
    row.refresh_from_db()
    assert (row.enabled, row.state.off_by) == (False, "sam")
    act(sam, "enable_selected", row)
    row = PeriodicTask.objects.get()
    assert (row.enabled, row.state.off_by) == (True, "")
    assert list(Activity.objects.filter(verb__startswith="schedule").order_by("pk").values_list("verb", "actor")) == [
        ("schedule.disabled", "sam"),
        ("schedule.enabled", "sam"),
    ]


def test_a_bad_row_is_not_turned_on_and_the_reason_is_said(sam):
    row = factories.row(headers="[]", enabled=False)
    assert "headers must be of the form" in act(sam, "enable_selected", row).content.decode()
    row.refresh_from_db()
    assert not row.enabled


def test_staff_cannot_touch_a_system_schedule(sam):
    row = system_row()
    for action in ("run_selected", "disable_selected", "delete_selected"):
        act(sam, action, row)
    sam.post(reverse("admin:django_celery_beat_periodictask_delete", args=[row.pk]), {"post": "yes"})
    change = sam.post(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk]), {"name": "x"})
    assert change.status_code == 403
    row.refresh_from_db()
    assert (row.enabled, row.name) == (True, "Sweep")


def test_whoever_may_look_reads_the_page_of_a_schedule_in_words(client, sam):
    system = system_row()
    Worker.objects.create(name="beat@here/1", kind="beat", seen_at=timezone.now())
    assert "its firings are not listed" in sam.get(change_url(system)).content.decode()  # staff may only look at it
    client.force_login(user("django_celery_beat.view_periodictask", username="val"))
    row = factories.row("Mine", crontab=factories.crontab("15 3 * * *"))
    page = client.get(change_url(row)).content.decode()
    for text in ("At 03:15", "Next due", "It has not fired yet."):
        assert text in page
    for field in ('name="work"', 'name="_save"', "Run now"):
        assert field not in page


def change_url(row):
    return reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])


def test_nobody_deletes_a_system_schedule_not_even_through_its_timing(admin_client):
    row = system_row()
    act(admin_client, "delete_selected", row)
    for kind, pk in (("periodictask", row.pk), ("intervalschedule", row.interval_id)):
        admin_client.post(reverse(f"admin:django_celery_beat_{kind}_delete", args=[pk]), {"post": "yes"})
    assert PeriodicTask.objects.filter(pk=row.pk).exists()


def test_nobody_runs_by_schedule_what_they_may_not_start_by_hand(sam):
    row = factories.row(task=START_RUN, kwargs=f'{{"task": "{PROCESS}"}}')
    answer = act(sam, "run_selected", row)
    assert "Left out" in answer.content.decode()
    assert queued.messages() == []


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("crontabschedule", {"minute": "0", "hour": "0", "day_of_month": "31", "month_of_year": "2",
                             "day_of_week": "*", "timezone": "UTC"}, "crontab"),
        ("crontabschedule", {"minute": "0", "hour": "0", "day_of_month": "*", "month_of_year": "*",
                             "day_of_week": "7", "timezone": "UTC"}, "crontab cannot be read"),
        ("intervalschedule", {"every": "5", "period": "microseconds"}, "shorter than one second"),
        ("clockedschedule", {"clocked_time": "2020-01-01T10:00"}, "has passed"),
        ("solarschedule", {"event": "sunset", "latitude": "1", "longitude": "1"}, "cannot be computed"),
    ],
)  # fmt: skip
def test_the_tables_of_timings_refuse_what_beat_could_not_use(kind, data, sentence, admin_client):
    answer = admin_client.post(reverse(f"admin:django_celery_beat_{kind}_add"), data)
    assert sentence in answer.content.decode()
    assert not CrontabSchedule.objects.exists()
    assert not IntervalSchedule.objects.exists()


def test_the_page_of_a_schedule_tells_its_history(sam):
    row = factories.row()
    act(sam, "run_selected", row)
    enabling.disable(row.pk, enabling.BEAT, "The arguments do not fit the task.")
    page = sam.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).content.decode()
    for text in ("by sam", "Run now", "Turned off by beat", "The arguments do not fit the task."):
        assert text in page


def test_a_row_whose_time_zone_cannot_be_loaded_is_still_listed_and_its_page_opens(sam):
    row = factories.row("From Mars", crontab=factories.crontab())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_celery_beat_crontabschedule SET timezone = 'Mars/Olympus'")
    page = sam.get(reverse(LIST)).content.decode()
    assert "From Mars" in page
    assert "cannot be read" in page
    assert sam.get(reverse("admin:django_celery_beat_periodictask_change", args=[row.pk])).status_code == 200


def test_firings_can_be_read_and_not_written(client):
    client.force_login(user("schedules.view_firing", username="aud"))
    firing = Firing.objects.create(
        schedule_name="Gone", due_at="2026-01-01T00:00Z", state="skipped", reason="Beat slept."
    )
    page = client.get(reverse("admin:schedules_firing_changelist")).content.decode()
    assert "Beat slept." in page
    url = reverse("admin:schedules_firing_change", args=[firing.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"schedule_name": "x"}).status_code == 403
    assert client.post(reverse("admin:schedules_firing_delete", args=[firing.pk]), {"post": "yes"}).status_code == 403


def test_a_deletion_is_logged(sam):
    row = factories.row("Old")
    sam.post(reverse("admin:django_celery_beat_periodictask_delete", args=[row.pk]), {"post": "yes"})
    assert not PeriodicTask.objects.exists()
    assert Activity.objects.filter(verb="schedule.deleted", actor="sam", target="Old").exists()


@pytest.mark.parametrize("kind", ["interval", "crontab", "solar", "clocked"])
def test_every_list_and_form_of_timings_opens(kind, admin_client):
    factories.row("a"), factories.row("b", crontab=factories.crontab("x 1 * * *"))
    for page in ("changelist", "add"):
        assert admin_client.get(reverse(f"admin:django_celery_beat_{kind}schedule_{page}")).status_code == 200
