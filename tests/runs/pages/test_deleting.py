"""Deleting all that match, whatever their number: by the filter, in batches, with what the log keeps of each."""

import re
import threading

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db import connection
from django_celery_beat.models import IntervalSchedule

from backoffice.results.models import Activity
from backoffice.runs.models import RunItem
from backoffice.runs.pages import deleting
from backoffice.runs.start import start
from records.models import YourModel
from tests import factories
from tests.runs.deadlocks import strikes

LIST = "/admin/records/yourmodel/"
USERS = "/admin/auth/user/"
MANY = 2_500


@pytest.fixture
def deleter(client):
    client.force_login(factories.user("records.view_yourmodel", "records.delete_yourmodel"))
    return client


def make(number=MANY, **fields):
    rows = [YourModel(reference=f"D-{n:06}", name="Company", **({"country": "FR"} | fields)) for n in range(number)]
    return YourModel.objects.bulk_create(rows)


def select_all(client, url, one):
    """Ticks one page, then "select all", and presses the action."""
    data = {"action": "delete_selected", "select_across": "1", "index": "0", ACTION_CHECKBOX_NAME: [one]}
    return client.post(url, data)


def fields_of(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def confirm(client, url, page, **changes):
    return client.post(url, fields_of(page) | changes)


def said(client, response):
    page = client.get(response["Location"]) if response.status_code == 302 else response
    return " ".join(map(str, page.context["messages"]))


@pytest.mark.django_db
def test_deleting_is_the_last_of_the_actions_that_a_list_offers(client):
    client.force_login(factories.user(is_superuser=True))
    request = client.get("/admin/").wsgi_request
    offered = {each.model._meta.label: list(each.get_actions(request)) for each in admin.site._registry.values()}
    deleting_ones = {label: names for label, names in offered.items() if "delete_selected" in names}
    assert {"records.YourModel", "auth.User", "django_celery_beat.PeriodicTask"} <= deleting_ones.keys()
    assert {names[-1] for names in deleting_ones.values()} == {"delete_selected"}


@pytest.mark.django_db(transaction=True)
def test_a_deadlocks_victim_is_asked_again_and_each_deletion_is_logged_once(deleter, monkeypatch):
    monkeypatch.setattr(deleting, "AT_ONCE", 2)
    for strike in strikes():
        first, *_rest = make(3)
        page = select_all(deleter, f"{LIST}?country=FR", first.pk)
        before = Activity.objects.count()
        with strike:
            assert "3 records deleted." in said(deleter, confirm(deleter, f"{LIST}?country=FR", page))
        assert not YourModel.objects.exists()
        assert Activity.objects.count() - before == 3


@pytest.mark.django_db
class TestRecords:
    def test_of_any_number_are_deleted_by_the_filter_each_with_what_it_said(self, deleter):
        first, *_rest = make(town="Paris")
        kept = factories.record(country="DE")
        page = select_all(deleter, f"{LIST}?country=FR", first.pk)
        assert f"Delete {MANY:,} records" in page.content.decode()
        assert len(fields_of(page)) < 10
        assert YourModel.objects.count() == MANY + 1
        done = confirm(deleter, f"{LIST}?country=FR", page)
        assert "2,500 records deleted." in said(deleter, done)
        assert list(YourModel.objects.all()) == [kept]
        assert Activity.objects.filter(verb="record.deleted").count() == MANY
        entry = Activity.objects.get(object_id=str(first.pk))
        assert (entry.details["values"]["town"], entry.target) == ("Paris", str(first))

    def test_that_came_after_the_page_was_shown_are_asked_about_first(self, deleter):
        first, *_rest = make(3)
        page = select_all(deleter, LIST, first.pk)
        factories.record()
        again = confirm(deleter, LIST, page)
        assert "nothing was deleted yet" in said(deleter, again)
        assert (YourModel.objects.count(), fields_of(again)["shown"]) == (4, "4")
        confirm(deleter, LIST, again)
        assert not YourModel.objects.exists()

    def test_that_take_longer_than_a_page_may_are_gone_on_with(self, deleter, monkeypatch):
        monkeypatch.setattr(deleting, "AT_ONCE", 2)
        monkeypatch.setattr(deleting, "SECONDS", 0)
        first, *_rest = make(5)
        page = confirm(deleter, LIST, select_all(deleter, LIST, first.pk))
        assert "2 records deleted. 3 are left" in said(deleter, page)
        page = confirm(deleter, LIST, page)
        assert YourModel.objects.count() == 1
        assert "1 record deleted." in said(deleter, confirm(deleter, LIST, page))

    def test_that_no_longer_match_when_their_turn_comes_stay(self, deleter, monkeypatch):
        monkeypatch.setattr(deleting, "AT_ONCE", 2)
        first, *rest = make(4)
        page = select_all(deleter, f"{LIST}?country=FR", first.pk)
        batches = deleting.batches

        def edited_meanwhile(keys):
            for number, batch in enumerate(batches(keys)):
                if number:
                    YourModel.objects.filter(pk=rest[-1].pk).update(country="DE")
                yield batch

        monkeypatch.setattr(deleting, "batches", edited_meanwhile)
        confirm(deleter, f"{LIST}?country=FR", page)
        assert list(YourModel.objects.all()) == [rest[-1]]

    def test_leave_the_history_of_their_runs(self, deleter, client):
        first, *_rest = make(20)
        run = start(YourModel.objects.all(), "process_model_instance")
        confirm(deleter, LIST, select_all(deleter, LIST, first.pk))
        assert not YourModel.objects.exists()
        assert RunItem.objects.filter(run=run).count() == run.total == 20
        client.force_login(factories.user(is_superuser=True))
        assert client.get(f"/admin/runs/run/{run.pk}/change/").status_code == 200

    @pytest.mark.parametrize("shown", ["", "-1", "x", "9" * 30, "²"])
    def test_of_a_crafted_form_are_asked_about_or_deleted_and_no_error(self, deleter, shown):
        make(3)
        data = {"action": "delete_selected", "select_across": "1", "index": "0", "post": "yes", "shown": shown}
        assert deleter.post(LIST, data | {ACTION_CHECKBOX_NAME: ["1"]}).status_code in (200, 302)

    def test_are_deleted_by_nobody_without_the_permission(self, client):
        client.force_login(factories.member("Operator"))
        first, *_rest = make(3)
        data = {"action": "delete_selected", "select_across": "1", "index": "0", "post": "yes", "shown": "3"}
        client.post(LIST, data | {ACTION_CHECKBOX_NAME: [first.pk]})
        assert YourModel.objects.count() == 3

    def test_ask_a_bounded_number_of_questions_a_batch(self, deleter, django_assert_max_num_queries):
        first, *_rest = make(3_000)
        page = select_all(deleter, LIST, first.pk)
        with django_assert_max_num_queries(80):
            confirm(deleter, LIST, page)


@pytest.mark.django_db(transaction=True)
def test_records_that_two_delete_at_once_are_each_in_the_log_once(deleter):
    first, *_rest = make(60)
    page = select_all(deleter, LIST, first.pk)

    def run():
        try:
            confirm(deleter, LIST, page)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not YourModel.objects.exists()
    assert Activity.objects.filter(verb="record.deleted").count() == 60


@pytest.mark.django_db
class TestOtherLists:
    @pytest.fixture(autouse=True)
    def _however_slow_the_machine(self, monkeypatch):
        monkeypatch.setattr(deleting, "SECONDS", 600)

    @pytest.mark.spared
    @pytest.mark.long
    def test_of_more_than_a_thousand_are_deleted_as_well(self, admin_client):
        rows = User.objects.bulk_create([User(username=f"many-{n}") for n in range(1_100)])
        page = select_all(admin_client, f"{USERS}?q=many-", rows[0].pk)
        assert "Delete 1,100 users" in page.content.decode()
        confirm(admin_client, f"{USERS}?q=many-", page)
        assert not User.objects.filter(username__startswith="many-").exists()
        assert Activity.objects.filter(verb="user.deleted").count() == 1_100

    def test_with_one_that_may_not_be_deleted_say_so_and_delete_none(self, client):
        client.force_login(factories.user("auth.view_user", "auth.delete_user"))
        rows = User.objects.bulk_create([User(username=f"many-{n}", is_superuser=n == 5) for n in range(10)])
        page = select_all(client, f"{USERS}?q=many-", rows[0].pk)
        assert "They cannot all be deleted." in page.content.decode()
        assert 'type="submit" class="bo-button bo-button--primary"' not in page.content.decode()
        confirm(client, f"{USERS}?q=many-", page)
        assert User.objects.filter(username__startswith="many-").count() == 10

    @pytest.mark.long
    @pytest.mark.spared
    def test_of_timings_are_deleted_as_well(self, admin_client):
        IntervalSchedule.objects.bulk_create([IntervalSchedule(every=n, period="days") for n in range(1, 1_200)])
        url, one = "/admin/django_celery_beat/intervalschedule/", IntervalSchedule.objects.first()
        number = IntervalSchedule.objects.count()
        page = select_all(admin_client, url, one.pk)
        confirm(admin_client, url, page)
        assert IntervalSchedule.objects.count() < number
