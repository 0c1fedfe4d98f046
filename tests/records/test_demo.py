"""`manage.py demo` and the groups it loads."""

import io
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.core.management.base import CommandError

from records.management.commands.demo import PASSWORD
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
GROUPS = json.loads((Path(__file__).parents[2] / "fixtures" / "groups.json").read_text())


def demo() -> str:
    out = io.StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def test_loads_groups_logins_and_1500_records_and_says_so():
    said = demo()
    assert set(Group.objects.values_list("name", flat=True)) >= {"Operator", "Scheduler", "Auditor"}
    assert set(User.objects.values_list("username", flat=True)) == {"admin", "operator", "scheduler", "auditor"}
    assert YourModel.objects.count() == 1500
    assert all(word in said for word in ("group Operator", "Logins", "Records: 1,500 loaded"))


def test_twice_changes_nothing():
    demo()
    before = list(YourModel.objects.values_list("pk", "updated_at").order_by("pk"))
    said = demo()
    assert list(YourModel.objects.values_list("pk", "updated_at").order_by("pk")) == before
    assert said.count("there already") == 2


def test_gives_each_login_its_group_and_the_password(client):
    demo()
    for name in ("operator", "scheduler", "auditor"):
        login = User.objects.get(username=name)
        assert (login.is_staff, login.is_superuser) == (True, False)
        assert [group.name.lower() for group in login.groups.all()] == [name]
        assert client.login(username=name, password=PASSWORD)
    assert User.objects.get(username="admin").is_superuser


def test_never_resets_a_password(client):
    demo()
    login = User.objects.get(username="operator")
    login.set_password("my own")
    login.save()
    demo()
    assert client.login(username="operator", password="my own")


def test_refuses_a_database_with_people_and_none_of_its_records():
    factories.user(username="admin")
    with pytest.raises(CommandError, match="holds people but none of the demo's records"):
        demo()
    assert User.objects.count() == 1
    assert not YourModel.objects.exists()


def test_adds_no_login_to_a_demo_with_people_of_its_own():
    demo()
    User.objects.all().delete()
    factories.user(username="a.person")
    assert "users of its own" in demo()
    assert not User.objects.filter(username="admin").exists()


def test_leaves_edited_groups_and_removed_records_alone():
    demo()
    Group.objects.get(name="Operator").permissions.clear()
    YourModel.objects.filter(reference="BP-00001").delete()
    demo()
    assert not Group.objects.get(name="Operator").permissions.exists()
    assert YourModel.objects.count() == 1499


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group["fields"]["name"])
def test_every_permission_of_the_fixture_exists(group):
    for codename, app, model in group["fields"]["permissions"]:
        assert Permission.objects.filter(
            codename=codename, content_type__app_label=app, content_type__model=model
        ).exists(), (codename, app, model)


def test_an_auditor_may_change_nothing():
    auditor = factories.member("Auditor")
    verbs = {permission.rpartition(".")[2].split("_")[0] for permission in auditor.get_all_permissions()}
    assert verbs == {"view", "export", "ask"}


def test_an_operator_may_not_delete_or_see_others_runs():
    operator = factories.member("Operator")
    assert not operator.has_perm("records.delete_yourmodel")
    assert not operator.has_perm("runs.view_run")


def test_a_scheduler_plans_but_does_not_edit_records():
    scheduler = factories.member("Scheduler")
    assert scheduler.has_perm("django_celery_beat.change_periodictask")
    assert scheduler.has_perm("records.process_yourmodel")
    assert not scheduler.has_perm("records.change_yourmodel")
