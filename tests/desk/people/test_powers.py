"""The right to change users and groups makes nobody more than they are, by whatever form, address or name."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from backoffice.desk.people import powers
from backoffice.desk.people.names import refuse_actors
from tests.factories import user

pytestmark = pytest.mark.django_db
USERS, GROUPS = "/admin/auth/user/", "/admin/auth/group/"
PASSWORD = {"usable_password": "true", "password1": "a long one 7", "password2": "a long one 7"}
RIGHTS = [f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")]
MORE = "runs.view_run"  # what the clerk lacks


@pytest.fixture
def clerk(client: Client) -> User:
    clerk = user(*RIGHTS, "records.view_yourmodel", username="clerk")
    client.force_login(clerk)
    return clerk


def permission(name: str) -> Permission:
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def group(*permissions: str, name: str = "Some") -> Group:
    made = Group.objects.create(name=name)
    made.permissions.set(map(permission, permissions))
    return made


def form_of(who: User, **changes: object) -> dict[str, Any]:
    flags = {flag: "on" for flag in ("is_active", "is_staff", "is_superuser") if getattr(who, flag)}
    own = {"user_permissions": list(who.user_permissions.values_list("pk", flat=True))}
    return {"username": who.username, "groups": list(who.groups.values_list("pk", flat=True))} | own | flags | changes


def state_of(who: User) -> tuple[Any, ...]:
    who = User.objects.get(pk=who.pk)
    return (
        powers.covers(who, who),
        who.is_superuser,
        who.email,
        who.password,
        {*powers.permissions_of(who).values_list("pk")},
    )


def one_with_more() -> User:
    return user(MORE, username="more")


def one_in_a_group_with_more() -> User:
    made = user(username="grouped")
    made.groups.add(group(MORE))
    return made


def one_turned_off() -> User:
    return user(MORE, username="off", is_active=False)


def a_superuser() -> User:
    return user(username="boss", is_superuser=True)


ABOVE = [one_with_more, one_in_a_group_with_more, one_turned_off, a_superuser]


# --- whom


@pytest.mark.parametrize("make", ABOVE)
def test_nobody_with_more_powers_is_changed_by_any_route(client: Client, clerk, make):
    other = make()
    before = state_of(other)
    page = f"{USERS}{other.pk}/"
    assert client.post(f"{page}change/", form_of(other, email="x@example.org")).status_code == 403
    assert client.post(f"{page}password/", PASSWORD).status_code == 403
    assert client.get(f"{page}password/").status_code == 403
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes", "index": "0"}
    client.post(USERS, bulk)
    client.post(USERS, bulk | {"select_across": "1"})
    inline = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": other.pk, "form-0-is_active": ""}
    client.post(USERS, inline | {"_save": "1"})
    assert state_of(other) == before


def test_somebody_with_no_more_powers_is_changed(client: Client, clerk):
    other = user("records.view_yourmodel")
    assert client.post(f"{USERS}{other.pk}/change/", form_of(other, email="x@example.org")).status_code == 302
    assert client.post(f"{USERS}{other.pk}/password/", PASSWORD).status_code == 302
    assert User.objects.get(pk=other.pk).email == "x@example.org"


def test_a_page_that_may_only_be_read_says_so_by_having_no_button(client: Client, clerk):
    assert "_save" not in client.get(f"{USERS}{one_with_more().pk}/change/").text


# --- what


def test_nobody_makes_themselves_more(client: Client, clerk):
    before = state_of(clerk)
    everything = list(Permission.objects.values_list("pk", flat=True))
    for changes in (
        {"is_superuser": "on"},
        {"user_permissions": everything},
        {"groups": [group(MORE).pk]},
        {"user_permissions": [permission(MORE).pk]},
    ):
        client.post(f"{USERS}{clerk.pk}/change/", form_of(clerk, **changes))
        assert state_of(clerk) == before, changes


def test_nobody_makes_another_one_more(client: Client, clerk):
    other, higher = user(), group(MORE)
    for changes in ({"user_permissions": [permission(MORE).pk]}, {"groups": [higher.pk]}, {"is_superuser": "on"}):
        client.post(f"{USERS}{other.pk}/change/", form_of(other, **changes))
    fresh = {"username": "fresh", **PASSWORD, "is_superuser": "on", "groups": [higher.pk], "is_staff": "on"}
    assert client.post(f"{USERS}add/", fresh).status_code == 302
    for made in (other, User.objects.get(username="fresh")):
        assert not powers.permissions_of(made).exists()
        assert not User.objects.get(pk=made.pk).is_superuser


def test_what_one_has_one_may_grant_alone_and_by_a_group(client: Client, clerk):
    other, equal = user(), group("records.view_yourmodel")
    granted = {"user_permissions": [permission("auth.view_user").pk], "groups": [equal.pk]}
    assert client.post(f"{USERS}{other.pk}/change/", form_of(other, **granted)).status_code == 302
    names = {
        f"{app}.{name}" for app, name in powers.permissions_of(other).values_list("content_type__app_label", "codename")
    }
    assert names == {"auth.view_user", "records.view_yourmodel"}


def test_only_what_one_has_is_offered(client: Client, clerk):
    group(MORE, name="Higher"), group("auth.view_user", name="Equal")
    fields = client.get(f"{USERS}{user().pk}/change/").context["adminform"].form.fields
    assert {each.name for each in fields["groups"].queryset} == {"Equal"}
    assert set(fields["user_permissions"].queryset) == set(powers.permissions_of(clerk))


# --- groups


@pytest.mark.parametrize("how", ["holds more", "has a member with more", "has a superuser"])
def test_a_group_beyond_ones_powers_is_not_changed(client: Client, clerk, how: str):
    higher = group(*([MORE] if how == "holds more" else ["records.view_yourmodel"]))
    if how == "has a member with more":
        one_with_more().groups.add(higher)
    if how == "has a superuser":
        a_superuser().groups.add(higher)
    before = set(higher.permissions.all())
    assert client.post(f"{GROUPS}{higher.pk}/change/", {"name": "Mine", "permissions": []}).status_code == 403
    assert client.post(f"{GROUPS}{higher.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(GROUPS, {"action": "delete_selected", "_selected_action": [higher.pk], "post": "yes", "index": "0"})
    assert set(Group.objects.get(name="Some").permissions.all()) == before


def test_a_group_is_given_no_permission_that_one_lacks(client: Client, clerk):
    clerk.groups.add(own := group("auth.view_user"))
    for sent in ([permission(MORE).pk], list(Permission.objects.values_list("pk", flat=True))):
        client.post(f"{GROUPS}{own.pk}/change/", {"name": "Some", "permissions": sent})
        client.post(f"{GROUPS}add/", {"name": "New", "permissions": sent})
    assert [each.codename for each in own.permissions.all()] == ["view_user"]
    assert not Group.objects.filter(name="New").exists()


def test_a_group_within_ones_powers_is_changed(client: Client, clerk):
    own = group("auth.view_user")
    sent = {"name": "Renamed", "permissions": [permission("records.view_yourmodel").pk]}
    assert client.post(f"{GROUPS}{own.pk}/change/", sent).status_code == 302
    assert [each.codename for each in own.permissions.all()] == ["view_yourmodel"]


# --- the password


@pytest.mark.django_db(transaction=True)
def test_a_password_set_brings_no_leaver_back(client: Client, monkeypatch: pytest.MonkeyPatch):
    """The form read the account before it was turned off, and wrote all of it after."""
    client.force_login(a_superuser())
    leaver = user(username="leaver")
    done, real = threading.Event(), User.set_password

    def meanwhile(self: User, raw: str) -> None:
        def turn_off() -> None:
            User.objects.filter(pk=leaver.pk).update(is_active=False)
            connection.close()
            done.set()

        other = threading.Thread(target=turn_off)
        other.start()
        done.wait(1)  # not longer: under the user's lock it comes after this
        others.append(other)
        real(self, raw)

    others: list[threading.Thread] = []
    monkeypatch.setattr(User, "set_password", meanwhile)
    assert client.post(f"{USERS}{leaver.pk}/password/", PASSWORD).status_code == 302
    for other in others:
        other.join()
    assert not User.objects.get(pk=leaver.pk).is_active


# --- names


@pytest.mark.parametrize(
    "name",
    [
        *(
            "system",
            "System",
            "SYSTEM",
            "s.y.s.t.e.m",
            "system_",
            "ｓｙｓｔｅｍ",
            "ѕуѕтем",
            "sýstem",
            "𝐬𝐲𝐬𝐭𝐞𝐦",
            "beat",
            "Bеat",
        ),
        *(
            "nobody",
            "n0body",
            "worker",
            "celery",
            "AnonymousUser",
            "the_system",
            "sweep",
            "manage.py",
            "manage.py_doctor",
        ),
    ],
)
def test_a_name_of_the_machine_is_refused_by_every_way_of_giving_one(client: Client, name: str):
    client.force_login(a_superuser())
    assert "what the machine calls itself" in client.post(f"{USERS}add/", {"username": name, **PASSWORD}).text
    anna = user(username="anna")
    assert (
        "what the machine calls itself" in client.post(f"{USERS}{anna.pk}/change/", form_of(anna, username=name)).text
    )
    with pytest.raises(CommandError, match="what the machine calls itself"):
        call_command("createsuperuser", username=name, email="x@example.org", interactive=False)
    assert set(User.objects.values_list("username", flat=True)) == {"boss", "anna"}


@pytest.mark.parametrize("name", ["anna", "systema", "beatrice", "upbeat", "jörg", "иван", "o.system@example.org"])
def test_other_names_are_fine(name: str):
    refuse_actors(name)


def test_the_refusal_is_a_validation_error():
    with pytest.raises(ValidationError):
        refuse_actors("beat")
