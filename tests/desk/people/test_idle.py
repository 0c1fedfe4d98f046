"""A session ends eight hours after its owner last asked for a page, though a page of his is open and polls."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from backoffice.desk.people.idle import PRECISELY
from tests.factories import user

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=8)


@pytest.fixture
def signed_in(client: Client, settings: Any) -> Client:
    """Seven hours ago."""
    client.force_login(user(is_superuser=True))
    client.get("/admin/")
    session = client.session
    session["seen"] -= 7 * 3600
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    return client


def left() -> timedelta:
    return Session.objects.get().expire_date - timezone.now()


def test_a_page_renews_the_session_for_eight_hours(signed_in: Client):
    answer = signed_in.get("/admin/")
    assert HOURS - timedelta(minutes=1) < left() <= HOURS
    assert answer.cookies["sessionid"]["max-age"] == 8 * 3600


@pytest.mark.parametrize(
    ("url", "headers"),
    [("/admin/desk/live/", {"X-Requested-With": "poll"}), ("/admin/notices/unread/", {}), ("/healthz", {})],
)
def test_what_an_open_page_asks_for_by_itself_does_not(signed_in: Client, url: str, headers: dict[str, str]):
    assert signed_in.get(url, headers=headers).status_code == 200
    assert left() < timedelta(hours=1, minutes=1)


def test_a_session_that_has_ended_is_no_session(signed_in: Client):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert signed_in.get("/admin/").status_code == 302


def test_pages_in_a_row_write_the_session_once(signed_in: Client, django_assert_num_queries: Any):
    signed_in.get("/admin/password_change/")
    with django_assert_num_queries(2):  # session and user
        signed_in.get("/admin/password_change/")
    assert PRECISELY < 8 * 3600
