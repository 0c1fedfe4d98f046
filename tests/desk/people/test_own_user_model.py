"""Whole projects whose people are a model of a team's own, on SQLite and a Redis of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers

pytestmark = [pytest.mark.once, pytest.mark.processes]
ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/your-own-user-model.md").read_text()
BLOCKS = dict(re.findall(r"```python\n# ([^\n]+)\n(.*?)```", PAGE, re.DOTALL))
SHORT = """
from uuid import uuid4

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class Manager(UserManager):
    def create_superuser(self, email, password=None, **fields):
        person = self.model(email=email, is_staff=True, is_superuser=True, **fields)
        person.set_password(password)
        person.save()


class Person(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid4)
    username = None
    email = models.EmailField(unique=True)
    objects = Manager()
    USERNAME_FIELD, REQUIRED_FIELDS = "email", []
"""
BARE = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Person(AbstractBaseUser):
    email = models.EmailField(unique=True)
    objects = BaseUserManager()
    USERNAME_FIELD = "email"
"""
Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Manage:
    """A folder with the app `people`, and a function that runs Python in it."""
    app = tmp_path / "people"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(request.param)
    (tmp_path / "site_settings.py").write_text(
        "from backoffice.settings import *\n" + BLOCKS["at the end of backoffice/settings.py"]
    )
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    own |= {
        "BACKOFFICE_VAR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }

    def python(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env={**own, **more}, capture_output=True, text=True, timeout=240, check=False
        )

    return python


@pytest.mark.parametrize(
    "project",
    [BLOCKS["people/models.py"], pytest.param(SHORT, marks=pytest.mark.long)],
    ids=["of the page", "short"],
    indirect=True,
)
def test_a_project_with_a_user_model_of_its_own_does_all_of_it(project: Manage, tmp_path: Path):
    with servers.temporary_directory() as folder, servers.redis_server(folder / "redis") as redis:
        for step in (["makemigrations", "people"], ["migrate", "-v0"], ["makemigrations", "--check"]):
            done = project(str(ROOT / "manage.py"), *step)
            assert done.returncode == 0, done.stdout + done.stderr
        walked = project("-m", "tests.desk.people.walk", REDIS_URL=redis)
    assert walked.stdout.endswith("All of it works.\n"), walked.stdout + walked.stderr


@pytest.mark.parametrize("project", [BARE], ids=["bare"], indirect=True)
def test_a_model_that_knows_neither_groups_nor_staff_is_refused_by_a_check(project: Manage):
    done = project(str(ROOT / "manage.py"), "check")
    assert done.returncode == 1
    assert "people.Person has no groups and permissions" in done.stderr
    assert "people.Person has no is_staff" in done.stderr
