"""Guesses are slowed down and told apart, and nobody can use that to keep another out."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from backoffice.desk.models import SignInCount
from backoffice.desk.people import throttle
from backoffice.desk.people.address import client_address, household
from backoffice.desk.people.throttle import LIMITS
from backoffice.desk.tasks import clear_sessions
from backoffice.results.models import Activity
from tests.factories import user

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
PASSWORD = "a long one"
HEARD, LOCKED = 200, 429


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def guess(name: str, password: str = "wrong", where: str = "192.0.2.1", client: Client | None = None) -> HttpResponse:
    data: Any = {"username": name, "password": password}
    answer: Any = (client or Client()).post(LOGIN, data, REMOTE_ADDR=where)
    return answer


def wait(seconds: float) -> None:
    """Time goes by for everything that is counted."""
    ago = timedelta(seconds=seconds)
    SignInCount.objects.update(until=F("until") - ago, last=F("last") - ago)


def entries(verb: str, name: str | None = None) -> list[Activity]:
    return [each for each in Activity.objects.filter(verb=verb).order_by("pk") if name in (None, each.actor)]


# --- slower and slower


def test_after_five_wrong_passwords_the_right_one_is_not_heard_for_a_while():
    user(username="anna", password=PASSWORD)
    assert [guess("anna").status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]
    answer = guess("anna", PASSWORD)
    assert answer.status_code == LOCKED
    assert 1 <= int(answer["Retry-After"]) <= 10
    said = answer.content.decode()
    assert "Too many wrong passwords were given for this name" in said
    assert f"Try again in {answer['Retry-After']} seconds, at " in said
    wait(11)
    assert guess("anna", PASSWORD).status_code == 302


def test_the_wait_doubles_and_is_bounded():
    waits = [LIMITS["guesser"].wait(number).total_seconds() for number in range(1, 40)]
    assert waits[:8] == [0, 0, 0, 0, 10, 20, 40, 80]
    assert max(waits) == waits[-1] == 900


@pytest.mark.spared
def test_a_minute_of_guesses_hears_a_handful():
    heard = 0
    for _ in range(405):
        wait(60 / 405)
        with contextlib.suppress(throttle.LockedOut):
            heard += bool(throttle.begin("anna", "192.0.2.1"))
    assert heard <= 8


def test_tries_during_the_wait_do_not_prolong_it():
    for _ in range(5):
        guess("anna")
    until = SignInCount.objects.order_by("-until")[0].until
    for _ in range(20):
        guess("anna")
    assert SignInCount.objects.order_by("-until")[0].until == until


def test_a_sign_in_begins_anew_and_a_day_forgets():
    user(username="anna", password=PASSWORD)
    for _ in range(4):
        guess("anna")
    assert guess("anna", PASSWORD).status_code == 302
    assert [guess("anna").status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]
    wait(25 * 3600)
    assert [guess("anna").status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]


@pytest.mark.spared
def test_one_address_is_slowed_down_whatever_the_names():
    heard = [guess(f"name-{number}").status_code for number in range(25)]
    assert heard == [HEARD] * 20 + [LOCKED] * 5
    assert "came from your address" in guess("another").content.decode()
    assert guess("another", where="192.0.2.2").status_code == HEARD


@pytest.mark.spared
def test_whoever_has_an_account_cannot_free_his_address_by_signing_in():
    user(username="mallory", password=PASSWORD)
    heard = []
    for number in range(30):
        heard.append(guess(f"name-{number}").status_code)
        guess("mallory", PASSWORD)
    assert heard.count(HEARD) <= 20


def test_the_addresses_of_one_ipv6_household_count_as_one():
    heard = [guess(f"name-{number}", where=f"2001:db8:1:1::{number:x}").status_code for number in range(22)]
    assert heard == [HEARD] * 20 + [LOCKED] * 2
    assert household("192.0.2.1") == "192.0.2.1"


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_no_more_are_heard_than_one_after_the_other():
    def attempt(_: int) -> bool:
        try:
            throttle.begin("anna", "192.0.2.1")
        except throttle.LockedOut:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 5


# --- and nobody is kept out


@pytest.mark.spared
def test_guesses_from_one_address_leave_the_account_open_elsewhere():
    user(username="anna", password=PASSWORD)
    for _ in range(40):
        guess("anna")
        wait(901)  # as often as it is heard, for hours
    assert guess("anna").status_code == HEARD
    wait(61)
    assert guess("anna", PASSWORD, where="198.51.100.7").status_code == 302


@pytest.mark.spared
def test_a_browser_in_which_the_person_signed_in_before_is_heard_whatever_others_do():
    user(username="anna", password=PASSWORD)
    own = Client()
    assert guess("anna", PASSWORD, client=own).status_code == 302
    own.post("/admin/logout/")
    for number in range(35):
        wait(61)
        guess("anna", where=f"203.0.113.{number}")
    for number in range(25):
        guess(f"name-{number}")
    assert guess("anna", PASSWORD, where="198.51.100.7").status_code == LOCKED
    assert guess("anna", PASSWORD, client=own).status_code == 302


def test_that_browser_is_known_for_this_account_alone_and_has_its_own_few_tries():
    for name in ("anna", "bert"):
        user(username=name, password=PASSWORD)
    own = Client()
    guess("anna", PASSWORD, client=own)
    for _ in range(5):
        guess("bert")
    assert guess("bert", PASSWORD, client=own).status_code == LOCKED
    assert [guess("anna", client=own).status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]


@pytest.mark.parametrize("value", ["", "x", "0123:abc", "a" * 5000])
def test_a_cookie_that_somebody_made_up_is_worth_nothing(value: str):
    for _ in range(5):
        guess("anna")
    forged = Client()
    forged.cookies["backoffice_device"] = value
    assert guess("anna", client=forged).status_code == LOCKED


# --- where somebody comes from


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "198.51.100.7", "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        (2, "1.1.1.1, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "rubbish", "192.0.2.1"),
        (1, "198.51.100.7:4711", "198.51.100.7"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_only_what_a_declared_proxy_wrote_is_believed(settings: Any, proxies: int, forwarded: str, found: str):
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == found


@pytest.mark.spared
def test_a_made_up_header_does_not_make_many_addresses_of_one():
    heard = [
        Client().post(
            LOGIN, {"username": f"n-{i}", "password": "x"}, REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=f"10.0.0.{i}"
        )
        for i in range(21)
    ]
    assert heard[-1].status_code == LOCKED


# --- what the log keeps


@pytest.mark.spared
@pytest.mark.long
def test_each_accounts_guesses_are_told_apart():
    for number in range(101):
        wait(901)
        guess("anna")
        if number < 12:
            guess("bert")
    told = {name: [entry.details["times"] for entry in entries("login.refused", name)] for name in ("anna", "bert")}
    assert told == {"anna": [1, 5, 10, 30, 100], "bert": [1, 5, 10]}
    assert "locked_until" in entries("login.refused", "anna")[1].details


@pytest.mark.spared
@pytest.mark.long
def test_what_is_not_heard_is_told_by_account_and_a_flood_of_names_by_address():
    for _ in range(135):
        guess("anna")
    assert [entry.details["times"] for entry in entries("login.locked", "anna")] == [1, 10, 100]
    for number in range(200):
        guess(f"name-{number}", where="198.51.100.7")
    assert 22 <= len(entries("login.refused")) <= 26  # the address is heard again if this takes seconds
    assert [entry.details["times"] for entry in entries("login.locked")[3:]] == [1, 10, 100]


# --- what is left


def test_old_counts_are_cleared_away():
    guess("anna")
    wait(25 * 3600)
    guess("bert", where="192.0.2.2")
    throttle.forget_old()
    assert SignInCount.objects.count() == 3
    assert SignInCount.objects.filter(last__lt=timezone.now() - timedelta(hours=1)).count() == 0


def test_ended_sessions_are_cleared_by_a_schedule_of_the_system():
    call_command("setup_backoffice", verbosity=0)
    assert PeriodicTask.objects.get(task=clear_sessions.name).enabled
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    clear_sessions()
    assert [session.session_key for session in Session.objects.all()] == ["new"]
