"""One's own password: the old one is guessed no faster than at the sign-in, and nothing else is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from backoffice.results.models import Activity
from tests.factories import user

pytestmark = pytest.mark.django_db
PAGE, LOGIN, USERS = "/admin/password_change/", "/admin/login/", "/admin/auth/user/"
OLD, NEW = "a long one", "another long one 7"
HEARD, LOCKED, CHANGED = 200, 429, 302


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def anna(client: Client) -> User:
    anna = user(username="anna", password=OLD)
    client.force_login(anna)
    return anna


def change(client: Client, old: str = OLD, where: str = "192.0.2.1") -> Any:
    data: Any = {"old_password": old, "new_password1": NEW, "new_password2": NEW}
    return client.post(PAGE, data, REMOTE_ADDR=where)


def sign_in(password: str, where: str = "192.0.2.1") -> int:
    data: Any = {"username": "anna", "password": password}
    return Client().post(LOGIN, data, REMOTE_ADDR=where).status_code


def stored(who: User) -> User:
    return User.objects.get(pk=who.pk)


def test_ones_own_password_is_changed_logged_and_the_session_stays(client: Client, anna: User):
    assert client.get(PAGE).status_code == 200
    answer = change(client)
    assert (answer.status_code, answer["Location"]) == (CHANGED, "/admin/password_change/done/")
    assert client.get(answer["Location"]).status_code == 200
    assert client.get("/admin/").status_code == 200
    assert stored(anna).check_password(NEW)
    entry = Activity.objects.get(verb="user.password_set")
    assert (entry.actor, entry.target) == ("anna", "anna")


# --- guesses


def test_after_five_wrong_old_passwords_the_right_one_is_not_heard(client: Client, anna: User):
    assert [change(client, "wrong").status_code for _ in range(5)] == [HEARD] * 5
    answer = change(client)
    assert answer.status_code == LOCKED
    assert 1 <= int(answer["Retry-After"]) <= 10
    assert stored(anna).check_password(OLD)


def test_wrong_old_passwords_and_wrong_sign_ins_are_one_count(client: Client, anna: User):
    for _ in range(3):
        change(client, "wrong")
    assert [sign_in("wrong") for _ in range(2)] == [HEARD] * 2
    assert sign_in(OLD) == change(client).status_code == LOCKED


def test_wrong_old_passwords_from_many_addresses_count_for_the_account(client: Client, anna: User):
    heard = [change(client, "wrong", where=f"203.0.113.{number}").status_code for number in range(31)]
    assert heard == [HEARD] * 30 + [LOCKED]


def test_a_browser_that_signed_in_has_its_own_few_tries(client: Client, anna: User):
    own = Client()
    own.post(LOGIN, {"username": "anna", "password": OLD})
    assert [change(own, "wrong").status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]


def test_wrong_old_passwords_are_logged_without_them(client: Client, anna: User):
    for _ in range(7):
        change(client, "hunter2")
    entries = list(Activity.objects.filter(verb__startswith="login.").order_by("pk"))
    assert [(entry.actor, entry.details.get("reason"), entry.details["times"]) for entry in entries[-3:]] == [
        ("anna", "wrong old password", 1), ("anna", "wrong old password", 5), ("anna", None, 1),
    ]  # fmt: skip
    assert "hunter2" not in str([entry.details for entry in entries])


def test_the_right_old_password_begins_anew(client: Client, anna: User):
    for _ in range(4):
        change(client, "wrong")
    assert change(client).status_code == CHANGED
    assert [change(client, "wrong").status_code for _ in range(6)] == [HEARD] * 5 + [LOCKED]


# --- what is written

MEANWHILE: dict[str, dict[str, Any]] = {
    "turned off": {"is_active": False},
    "no staff": {"is_staff": False},
    "no superuser": {"is_superuser": False},
    "renamed": {"last_name": "New"},
    "another password": {"password": "set by somebody else"},
}


def meanwhile(monkeypatch: pytest.MonkeyPatch, method: str, who: User, changes: dict[str, Any]) -> None:
    """Somebody else saves between a page's look at the account and its write."""
    real = getattr(User, method)

    def changed_after(self: User, raw: str) -> Any:
        answer = real(self, raw)
        User.objects.filter(pk=who.pk).update(**changes)
        who.groups.set([Group.objects.get_or_create(name="New")[0]])
        return answer

    monkeypatch.setattr(User, method, changed_after)


def columns(who: User, changes: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(who, name) for name in changes if name != "password"}


@pytest.mark.parametrize("page", ["one's own", "another's"])
@pytest.mark.parametrize("what", MEANWHILE)
def test_nothing_but_the_password_is_written(client: Client, monkeypatch: pytest.MonkeyPatch, page: str, what: str):
    changes = MEANWHILE[what]
    anna = user(username="anna", password=OLD, is_superuser=True)
    client.force_login(anna if page == "one's own" else user(is_superuser=True))
    if page == "one's own":
        meanwhile(monkeypatch, "check_password", anna, changes)
        change(client)
    else:
        meanwhile(monkeypatch, "set_password", anna, changes)
        client.post(f"{USERS}{anna.pk}/password/", {"usable_password": "true", "password1": NEW, "password2": NEW})
    after = stored(anna)
    assert after.groups.get().name == "New"
    assert columns(after, changes) == {name: value for name, value in changes.items() if name != "password"}


@pytest.mark.parametrize("what", ["turned off", "another password"])
def test_an_account_that_was_turned_off_or_given_another_password_is_told_and_not_written(
    client: Client, monkeypatch: pytest.MonkeyPatch, anna: User, what: str
):
    meanwhile(monkeypatch, "check_password", anna, MEANWHILE[what])
    answer = change(client)
    assert answer.status_code == HEARD
    assert "Your account was changed while this page was open" in answer.text
    monkeypatch.undo()
    assert not stored(anna).check_password(NEW)
    assert not Activity.objects.filter(verb="user.password_set").exists()


def test_a_sign_in_writes_only_its_time(client: Client, monkeypatch: pytest.MonkeyPatch):
    anna = user(username="anna", password=OLD, is_superuser=True)
    changes = MEANWHILE["renamed"] | MEANWHILE["no superuser"]
    meanwhile(monkeypatch, "check_password", anna, changes)
    assert sign_in(OLD) == CHANGED
    assert columns(stored(anna), changes) == changes
    assert stored(anna).last_login is not None
