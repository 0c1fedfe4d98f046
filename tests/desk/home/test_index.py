"""The desk: what each person sees, and that nothing takes the page down."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from backoffice.desk.tasks import count_records
from backoffice.runs.models import State, Tally
from backoffice.schedules import enabling
from tests.desk import factories
from tests.factories import user

pytestmark = pytest.mark.django_db
URL = "/admin/"
POLL = "/admin/desk/live/"


@pytest.fixture
def superuser(client: Client):
    made = user(is_superuser=True)
    client.force_login(made)
    return made


def sign_in(client: Client, *permissions: str):
    made = user(*permissions)
    client.force_login(made)
    return made


def test_an_anonymous_visitor_is_sent_to_the_login_page(client: Client):
    for url in (URL, POLL):
        answer = client.get(url)
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]


def test_somebody_who_is_no_member_of_staff_is_refused(client: Client):
    client.force_login(user(is_staff=False))
    assert client.get(POLL).status_code == 302


def test_staff_without_permissions_see_their_own_runs_only(client: Client):
    me = sign_in(client)
    mine, other = factories.run(requester=me), factories.run(requester=user())
    over = factories.run(requester=user(), finished_at=timezone.now())
    desk = client.get(URL).context["desk"]
    assert [row.id for row in desk.live.running] == [mine.pk]
    answer = client.get(POLL).text
    assert f'data-run="{mine.pk}"' in answer
    assert not any(f'data-run="{each.pk}"' in answer for each in (other, over))
    assert (desk.live.tiles, desk.charts, desk.compared, desk.may_mend) == ([], [], None, False)
    assert not desk.sees_tasks
    assert not desk.sees_schedules


def test_holders_of_the_view_permission_see_all_runs(client: Client):
    sign_in(client, "runs.view_run")
    made = factories.run(requester=user())
    assert [row.id for row in client.get(URL).context["desk"].live.running] == [made.pk]


def test_a_run_that_is_not_due_yet_is_not_shown_as_running(client: Client, superuser):
    made = factories.run(activated_at=None, due_at=timezone.now() + timedelta(days=1), state=State.PENDING)
    live = client.get(URL).context["live"]
    assert (live.running, [row.id for row in live.planned]) == ([], [made.pk])


def test_the_last_runs_to_end_are_told_by_what_came_of_them(client: Client, superuser):
    now = timezone.now()
    late = factories.run(state=State.SUCCESS, finished_at=now, total=7, succeeded=5, failed=2)
    for _number in range(6):
        factories.run(state=State.SUCCESS, finished_at=now - timedelta(hours=1))
    for kind, key, number in (("outcome", "valid", 4), ("outcome", "review", 1), ("failure", "abc", 2)):
        Tally.objects.create(run=late, kind=kind, key=key, number=number)
    live = client.get(URL).context["live"]
    assert len(live.last) == 6
    assert live.last[0].id == late.pk
    assert [(part.number, part.badge.word) for part in live.last[0].parts] == [
        (4, "valid"),
        (1, "review"),
        (2, "failed"),
    ]
    assert f"/admin/runs/run/{late.pk}/change/?outcome=review#items" in client.get(POLL).text


def test_the_poll_only_reads(client: Client, superuser):
    assert client.post(POLL).status_code == 405


def test_runs_with_failures_of_today_are_shown_and_those_of_yesterday_are_not(client: Client, superuser):
    today = factories.run(failed=2, state=State.FAILURE, finished_at=timezone.now())
    factories.run(failed=2, state=State.FAILURE, finished_at=timezone.now() - timedelta(days=1, minutes=1))
    factories.run(failed=0, state=State.SUCCESS, finished_at=timezone.now())
    assert [row.id for row in client.get(URL).context["desk"].failed_runs] == [today.pk]


def test_failed_tasks_of_today_are_counted_and_escaped(client: Client, superuser):
    factories.failure("<script>alert(1)</script>")
    answer = client.get(URL)
    assert answer.context["desk"].failed_tasks_count == "1"
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert(1)" not in answer.text


def test_the_next_five_schedules_are_shown_soonest_first(client: Client, superuser):
    for hours in (5, 1, 3, 2, 6, 4):
        clocked = ClockedSchedule.objects.create(clocked_time=timezone.now() + timedelta(hours=hours))
        PeriodicTask.objects.create(name=f"in {hours}", task="records.tasks.add", clocked=clocked, one_off=True)
    names = [firing.name for firing in client.get(URL).context["desk"].firings]
    assert names == ["in 1", "in 2", "in 3", "in 4", "in 5"]


def test_what_ticks_all_the_time_or_never_again_is_left_out(client: Client, superuser):
    PeriodicTask.objects.all().delete()
    quick = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(name="sweep", task="records.tasks.add", interval=quick)
    slow = IntervalSchedule.objects.create(every=1, period="days")
    ended = timezone.now() - timedelta(days=1)
    PeriodicTask.objects.create(name="expired", task="records.tasks.add", interval=slow, expires=ended)
    PeriodicTask.objects.create(name="off", task="records.tasks.add", interval=slow, enabled=False)
    desk = client.get(URL).context["desk"]
    assert (desk.firings, desk.broken) == ([], [])


def test_a_schedule_that_can_never_fire_is_shown_with_its_reason_and_stops_no_other(client: Client, superuser):
    PeriodicTask.objects.all().delete()
    never = CrontabSchedule.objects.create(minute="0", hour="2", day_of_month="31", month_of_year="2")
    PeriodicTask.objects.create(name="31 February", task="records.tasks.add", crontab=never)
    nonsense = CrontabSchedule.objects.create(minute="what")
    PeriodicTask.objects.create(name="nonsense", task="records.tasks.add", crontab=nonsense)
    nightly = CrontabSchedule.objects.create(minute="0", hour="2")
    PeriodicTask.objects.create(name="nightly", task="records.tasks.add", crontab=nightly)
    bare = PeriodicTask(name="no schedule at all", task="records.tasks.add")
    PeriodicTask.objects.bulk_create([bare])
    desk = client.get(URL).context["desk"]
    assert [firing.name for firing in desk.firings] == ["nightly"]
    assert {firing.name for firing in desk.broken} == {"31 February", "nonsense", "no schedule at all"}
    assert all(firing.problem for firing in desk.broken)


def test_a_schedule_with_a_time_zone_that_does_not_exist_takes_no_page_down(client: Client, superuser):
    PeriodicTask.objects.all().delete()
    for name in ("lost", "found"):
        crontab = CrontabSchedule.objects.create(minute="0", hour="2")
        PeriodicTask.objects.create(name=name, task="records.tasks.add", crontab=crontab)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_celery_beat_crontabschedule SET timezone = 'Mars/Olympus' WHERE id = %s",
            [PeriodicTask.objects.values_list("crontab_id", flat=True).get(name="lost")],
        )
    desk = client.get(URL).context["desk"]
    assert [firing.name for firing in desk.firings] == ["found"]
    assert len(desk.broken) == 1


def test_what_beat_turned_off_is_shown_with_its_reason(client: Client, superuser):
    row = PeriodicTask.objects.create(
        name="bad headers", task="records.tasks.add", interval=IntervalSchedule.objects.create(every=1, period="days")
    )
    enabling.disable(row.pk, enabling.BEAT, "Its headers are no JSON object.")
    assert "Its headers are no JSON object." in client.get(URL).text


def test_the_page_keeps_title_and_branding(client: Client, superuser):
    text = client.get(URL).text
    assert "Desk | backoffice" in text
    assert 'id="site-name"' in text


@pytest.mark.parametrize("is_superuser", [True, False])
def test_what_is_asked_for_again_and_again_takes_three_queries(client, django_assert_num_queries, is_superuser: bool):
    rights = () if is_superuser else ("records.view_yourmodel", "second.view_invoice", "runs.view_run")
    me = user(*rights, is_superuser=is_superuser)
    client.force_login(me)
    for number in range(12):
        Tally.objects.create(run=factories.run(finished_at=timezone.now()), kind="outcome", key="valid", number=number)
        factories.run(requester=me), factories.run(activated_at=None, due_at=timezone.now())
    count_records()
    client.get(POLL)
    with django_assert_num_queries(3 + (2 if is_superuser else 4)):  # session and person, and what they may
        assert "Not checked" in client.get(POLL).text


def test_the_page_takes_at_most_16_queries(client: Client, superuser, django_assert_max_num_queries):
    for number in range(12):
        factories.run(requester=superuser, failed=number)
        factories.failure("no")
        clocked = ClockedSchedule.objects.create(clocked_time=timezone.now() + timedelta(hours=number))
        PeriodicTask.objects.create(name=f"task {number}", task="records.tasks.add", clocked=clocked, one_off=True)
        factories.worker()
    client.get(URL)
    with django_assert_max_num_queries(16):
        client.get(URL)


@pytest.mark.parametrize("address", ["redis://:s3cret@127.0.0.1:1", "redis://:s3cret@no.such.host.invalid:1"])
def test_the_page_answers_without_redis_and_names_it_without_its_password(client, superuser, settings, address: str):
    settings.CELERY_BROKER_URL, settings.CELERY_RESULT_BACKEND = f"{address}/0", f"{address}/1"
    client.get("/admin/password_change/")  # what the first page of a process costs is not Redis's doing
    started = time.monotonic()
    answer = client.get(URL)
    assert time.monotonic() - started < 1.5
    assert answer.status_code == 200
    assert "s3cret" not in answer.text
    assert "Start Redis, or correct REDIS_URL" in answer.text
