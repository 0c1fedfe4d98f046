"""Groups follow their file: what is new in it is given, and what a person changed stays as they want it."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from backoffice.results.models import Activity
from backoffice.schedules.models import Seeded
from tests.factories import user

pytestmark = pytest.mark.django_db
GROUPS = "/admin/auth/group/"
VIEW, EDIT, DELETE = (f"records.{verb}_yourmodel" for verb in ("view", "change", "delete"))


class SetUp:
    """setup_backoffice, with a file of groups of one's own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "fixtures" / "groups.json"
        self.file.parent.mkdir()
        self.errors = ""

    def write(self, **groups: list[str]) -> None:
        entries: list[dict[str, Any]] = []
        for name, permissions in groups.items():
            keys = [[each.partition(".")[2], "records", "yourmodel"] for each in permissions]
            entries.append({"model": "auth.group", "fields": {"name": name, "permissions": keys}})
        self.file.write_text(json.dumps(entries))

    def __call__(self, **groups: list[str]) -> str:
        self.write(**groups)
        out, errors = io.StringIO(), io.StringIO()
        call_command("setup_backoffice", stdout=out, stderr=errors)
        self.errors = errors.getvalue()
        return out.getvalue().strip()


@pytest.fixture
def set_up(tmp_path: Path, settings: Any) -> SetUp:
    settings.BASE_DIR = tmp_path
    return SetUp(tmp_path)


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(user(is_superuser=True, username="boss"))
    return client


def held(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def save(boss: Client, group: Group, name: str, *kept: str) -> None:
    """As a person does it on the group's page."""
    names = [each.partition(".")[2] for each in kept]
    rows = list(group.permissions.filter(codename__in=names).values_list("pk", flat=True))
    answer = boss.post(f"{GROUPS}{group.pk}/change/", {"name": name, "permissions": rows})
    assert answer.status_code == 302


def before_gifts_were_remembered(set_up: SetUp, **groups: list[str]) -> None:
    """As the first version of the command did it."""
    set_up.write(**groups)
    call_command("loaddata", set_up.file, verbosity=0)
    Seeded.objects.create(key="groups")


def test_a_new_installation_gets_its_groups_and_is_told(set_up: SetUp):
    assert set_up(Reader=[VIEW]) == f"Written: group Reader ({VIEW})."
    assert held("Reader") == {VIEW}
    made, given = Activity.objects.order_by("pk")
    assert (made.verb, made.target) == ("group.created", "Reader")
    assert (given.verb, given.details) == ("permissions.changed", {"added": [VIEW], "removed": []})
    assert given.actor.startswith("manage.py setup_backoffice")


def test_what_is_new_in_the_file_is_given_and_told_and_logged_once(set_up: SetUp):
    set_up(Reader=[VIEW])
    assert set_up(Reader=[VIEW, EDIT], Cleaner=[DELETE]) == f"Written: group Reader ({EDIT}), group Cleaner ({DELETE})."
    assert (held("Reader"), held("Cleaner")) == ({VIEW, EDIT}, {DELETE})
    logged = Activity.objects.count()
    assert set_up(Reader=[VIEW, EDIT], Cleaner=[DELETE]).startswith("Nothing to set up")
    assert Activity.objects.count() == logged


@pytest.mark.parametrize("remembered", [True, False], ids=["as it is now", "set up before gifts were remembered"])
class TestWhatAPersonChanged:
    """...stays, whenever the file changes."""

    @pytest.fixture(autouse=True)
    def given(self, set_up: SetUp, boss: Client, remembered: bool) -> None:
        set_up(Reader=[VIEW, EDIT]) if remembered else before_gifts_were_remembered(set_up, Reader=[VIEW, EDIT])

    def test_a_permission_that_was_taken_away_stays_away(self, set_up: SetUp, boss: Client):
        save(boss, Group.objects.get(), "Reader", VIEW)
        for _twice in range(2):
            set_up(Reader=[VIEW, EDIT, DELETE])
            assert held("Reader") == {VIEW, DELETE}

    def test_a_permission_that_a_person_gave_stays_given(self, set_up: SetUp, boss: Client):
        group = Group.objects.get()
        group.permissions.add(*Group.objects.get().permissions.all())
        set_up(Reader=[VIEW])
        assert held("Reader") == {VIEW, EDIT}

    def test_a_group_that_was_deleted_stays_deleted(self, set_up: SetUp, boss: Client):
        boss.post(f"{GROUPS}{Group.objects.get().pk}/delete/", {"post": "yes"})
        for _twice in range(2):
            assert set_up(Reader=[VIEW, EDIT, DELETE]).startswith("Nothing to set up")
            assert not Group.objects.exists()

    def test_one_of_the_same_name_that_a_person_made_is_left_alone(self, set_up: SetUp, boss: Client):
        boss.post(f"{GROUPS}{Group.objects.get().pk}/delete/", {"post": "yes"})
        boss.post(f"{GROUPS}add/", {"name": "Reader"})
        for _twice in range(2):
            set_up(Reader=[VIEW, EDIT, DELETE])
            assert held("Reader") == set()

    def test_a_group_that_was_renamed_is_not_made_again(self, set_up: SetUp, boss: Client, remembered: bool):
        save(boss, Group.objects.get(), "Looker", VIEW, EDIT)
        set_up(Reader=[VIEW, EDIT, DELETE])
        assert held("Looker") == ({VIEW, EDIT, DELETE} if remembered else {VIEW, EDIT})
        assert Group.objects.count() == 1


def test_a_permission_that_is_not_there_is_named_and_keeps_nobody_from_the_rest(set_up: SetUp):
    misspelt = "records.veiw_yourmodel"
    assert "group Reader" in set_up(Reader=[misspelt, EDIT])
    assert held("Reader") == {EDIT}
    assert f"groups.json gives Reader “{misspelt}” (yourmodel), and there is no such permission" in set_up.errors
