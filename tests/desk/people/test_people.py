"""Users, groups and sign-ins: who may change what, and what the activity log keeps of it."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.runs.start import start
from records.models import YourModel
from tests.factories import record, user

pytestmark = pytest.mark.django_db
USERS, GROUPS = "/admin/auth/user/", "/admin/auth/group/"
LOGIN = "/admin/login/"


def form_of(who: User, **changes: object) -> dict[str, object]:
    flags = {flag: "on" for flag in ("is_active", "is_staff", "is_superuser") if getattr(who, flag)}
    return {"username": who.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"} | flags | changes


def entries(verb: str) -> list[Activity]:
    return list(Activity.objects.filter(verb=verb))


# --- sign-ins


def test_a_sign_in_is_logged(client: Client):
    user(username="anna", password="a long one")
    client.post(LOGIN, {"username": "anna", "password": "a long one"})
    assert [(entry.actor, entry.details["address"]) for entry in entries("login.succeeded")] == [("anna", "127.0.0.1")]
    client.post("/admin/logout/")
    assert [entry.actor for entry in entries("login.ended")] == ["anna"]


@pytest.mark.parametrize("name", ["nobody", "x" * 5000, "nul\x00byte", "<script>"])
def test_a_refused_sign_in_is_logged_and_is_no_error_page(client: Client, name: str):
    assert client.post(LOGIN, {"username": name, "password": "wrong"}).status_code == 200


def test_a_wrong_password_is_logged_without_it(client: Client):
    client.post(LOGIN, {"username": "mallory", "password": "hunter2"})
    (entry,) = entries("login.refused")
    assert entry.actor == "mallory"
    assert "hunter2" not in str(entry.details)


def test_somebody_with_the_right_password_who_is_no_staff_is_logged_as_refused(client: Client):
    user(username="guest", password="a long one", is_staff=False)
    client.post(LOGIN, {"username": "guest", "password": "a long one"})
    assert [(entry.actor, entry.details["reason"]) for entry in entries("login.refused")] == [
        ("guest", "not a member of staff")
    ]


# --- users and groups


def test_the_list_of_users_says_their_groups_and_asks_for_those_of_all_at_once(
    client: Client, django_assert_max_num_queries
):
    client.force_login(user(username="root", is_superuser=True))
    groups = [Group.objects.get_or_create(name=name)[0] for name in ("Reading", "Writing")]
    for number in range(20):
        user(username=f"u{number}").groups.set(groups)
    client.get(USERS)
    with django_assert_max_num_queries(12):
        text = client.get(USERS).text
    assert text.count("Reading, Writing") == 20
    assert "everything (superuser)" in text


def test_a_change_of_permissions_is_logged_with_what_was_added_and_removed(client: Client):
    boss, anna = user(is_superuser=True, username="boss"), user("runs.view_run", username="anna")
    client.force_login(boss)
    operators = Group.objects.create(name="Operators")
    answer = client.post(f"{USERS}{anna.pk}/change/", form_of(anna, is_superuser="on", groups=[operators.pk]))
    assert answer.status_code == 302
    (entry,) = entries("permissions.changed")
    assert (entry.actor, entry.target) == ("boss", "anna")
    assert entry.details == {"added": ["group Operators", "is_superuser"], "removed": ["runs.view_run"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [("username", "beata"), ("first_name", "Anna"), ("last_name", "Meier"), ("email", "anna@example.org")],
)
def test_a_change_of_who_somebody_is_is_logged_and_no_change_of_permissions(client: Client, field: str, value: str):
    anna = user(username="anna")
    client.force_login(user(is_superuser=True))
    before = getattr(anna, field)
    assert client.post(f"{USERS}{anna.pk}/change/", form_of(anna, **{field: value})).status_code == 302
    assert [entry.details for entry in entries("user.changed")] == [{"changes": {field: [before, value]}}]
    assert entries("permissions.changed") == []


def test_another_name_of_a_group_is_logged_and_what_nobody_changed_is_not(client: Client):
    client.force_login(user(is_superuser=True))
    group = Group.objects.create(name="Operators")
    for name in ("Operators", "Admins"):
        assert client.post(f"{GROUPS}{group.pk}/change/", {"name": name}).status_code == 302
    assert [entry.details for entry in entries("group.changed")] == [{"changes": {"name": ["Operators", "Admins"]}}]


def test_a_change_of_a_group_is_logged(client: Client):
    client.force_login(user(is_superuser=True))
    permission = Permission.objects.get(codename="view_run")
    client.post(f"{GROUPS}add/", {"name": "Auditors", "permissions": [permission.pk]})
    assert [entry.target for entry in entries("group.created")] == ["Auditors"]
    assert [entry.details["added"] for entry in entries("permissions.changed")] == [["runs.view_run"]]
    group = Group.objects.get()
    client.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"})
    assert [entry.details["had"] for entry in entries("group.deleted")] == [["runs.view_run"]]


def test_an_entry_keeps_the_number_of_who_did_it(client: Client):
    boss = user(is_superuser=True, username="boss")
    client.force_login(boss)
    client.post(f"{GROUPS}add/", {"name": "Auditors"})
    (entry,) = entries("group.created")
    User.objects.filter(pk=boss.pk).update(username="renamed")
    assert (entry.actor, entry.actor_id) == ("boss", boss.pk)
    assert f"{boss.pk}" in client.get(f"/admin/results/activity/{entry.pk}/change/").text
    assert log(None, "run.due").actor_id is None
    assert log("boss", "run.due").actor_id is None  # a name alone is nobody's


def test_a_run_says_who_asked_by_number(client: Client):
    operator = user("records.view_yourmodel", "records.process_yourmodel")
    start(YourModel.objects.filter(pk=record().pk), "records.tasks.process_model_instance", by=operator)
    assert [entry.actor_id for entry in entries("run.started")] == [operator.pk]


def test_users_are_created_and_deleted_with_an_entry(client: Client):
    client.force_login(user(is_superuser=True))
    fields = {"username": "new", "usable_password": "true", "password1": "a long one 7", "password2": "a long one 7"}
    assert client.post(f"{USERS}add/", fields).status_code == 302
    new = User.objects.get(username="new")
    assert [entry.target for entry in entries("user.created")] == ["new"]
    bulk = {"action": "delete_selected", "_selected_action": [new.pk], "post": "yes"}
    client.post(USERS, bulk)
    assert [entry.target for entry in entries("user.deleted")] == ["new"]


def test_a_password_set_for_somebody_else_is_logged(client: Client):
    anna = user(username="anna")
    client.force_login(user(is_superuser=True))
    fields = {"usable_password": "true", "password1": "a long one 7", "password2": "a long one 7"}
    assert client.post(f"{USERS}{anna.pk}/password/", fields).status_code == 302
    assert [entry.target for entry in entries("user.password_set")] == ["anna"]


# --- who may sign in


def test_a_new_user_is_staff_unless_the_tick_is_taken_away(client: Client):
    client.force_login(user(is_superuser=True))
    form = client.get(f"{USERS}add/").context["adminform"].form
    assert form["is_staff"].value() is True
    assert "Needed to sign in here" in form["is_staff"].help_text
    fields = {"username": "new", "usable_password": "true", "password1": "a long one 7", "password2": "a long one 7"}
    client.post(f"{USERS}add/", fields | {"is_staff": "on"})
    client.post(f"{USERS}add/", fields | {"username": "other"})
    assert dict(User.objects.filter(username__in=["new", "other"]).values_list("username", "is_staff")) == {
        "new": True, "other": False,
    }  # fmt: skip


@pytest.mark.parametrize("given", ["a group", "a permission", "everything"])
def test_somebody_with_powers_who_is_no_staff_is_named_on_saving_and_on_their_page(client: Client, given: str):
    client.force_login(user(is_superuser=True))
    anna = user(username="anna", is_staff=False)
    page = f"{USERS}{anna.pk}/change/"
    assert "anna cannot sign in here" not in client.get(page).text
    changes: dict[str, object] = {
        "a group": {"groups": [Group.objects.create(name="Operator").pk]},
        "a permission": {"user_permissions": [Permission.objects.get(codename="view_run").pk]},
        "everything": {"is_superuser": "on"},
    }[given]
    told = "anna cannot sign in here: groups and permissions give nothing until “Staff status” is ticked."
    answer = client.post(page, form_of(anna, **changes), follow=True)
    assert [str(each) for each in answer.context["messages"] if each.level_tag == "warning"] == [told]
    assert client.get(page).context["adminform"].form["is_staff"].help_text == told
    answer = client.post(page, form_of(anna, **changes, is_staff="on"), follow=True)
    assert "cannot sign in here" not in answer.text + client.get(page).text


def test_one_s_own_new_password_is_logged_and_a_refused_one_is_not(client: Client):
    anna = user(username="anna", password="a long one")
    client.force_login(anna)
    for old in ("wrong", "a long one"):
        fields = {"old_password": old, "new_password1": "a longer one 7", "new_password2": "a longer one 7"}
        client.post("/admin/password_change/", fields)
    assert [(entry.actor, entry.target) for entry in entries("user.password_set")] == [("anna", "anna")]
    anna.refresh_from_db()
    assert anna.check_password("a longer one 7")


# --- the activity log


def test_the_log_is_filtered_by_who_and_what(client: Client):
    client.force_login(user(is_superuser=True))
    run, schedule = log("anna", "run.started", "Run 1"), log("bert", "schedule.changed", "Nightly")
    base = "/admin/results/activity/"

    def listed(**query: str) -> list[int]:
        return [row.pk for row in client.get(base, query).context["cl"].result_list]

    assert listed(kind="run") == [run.pk]
    assert listed(did="schedule.changed") == [schedule.pk]
    assert listed(who="BER") == [schedule.pk]
    assert listed(who="nobody") == []
    assert run.pk in listed(day="today")
    assert listed(until="2020-01-01") == []
