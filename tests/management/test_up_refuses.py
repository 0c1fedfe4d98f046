"""`manage.py up` says what is wrong before it starts anything."""

import contextlib
import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from backoffice.management.redis_server import free_port
from tests.management.started import ROOT, refused, up

pytestmark = [pytest.mark.once, pytest.mark.processes]


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, "--port", str(port))
        from_make = refused(tmp_path, "--port", str(port), MAKELEVEL="1")
    assert f"Port {port} on 127.0.0.1 is taken by another program" in said
    assert f": manage.py up --port {port + 1}\n" in said
    assert f': make run ARGS="--port {port + 1}"\n' in from_make


def test_a_port_that_is_none_is_named(tmp_path: Path) -> None:
    assert "'70000' is not a port number" in refused(tmp_path, "--port", "70000")


def test_an_unreachable_redis_is_named_without_its_password(tmp_path: Path) -> None:
    port = free_port()
    said = refused(tmp_path, "--port", "0", REDIS_URL=f"redis://:geheim@127.0.0.1:{port}/0")
    assert f"Redis cannot be reached at redis://127.0.0.1:{port}/0" in said
    assert "geheim" not in said


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "already runs in this folder" in refused(tmp_path, "--port", "0")


def test_a_failing_migration_stops_everything(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0", DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/db") as started:
        assert started.wait_end() == 1
        assert "setup ended with exit code 1; its lines above say why. Stopping everything." in started.output
        assert not (tmp_path / "redis/url").exists()


def test_the_demo_is_refused_where_other_machines_can_reach_it(tmp_path: Path) -> None:
    said = refused(tmp_path, "--demo", "--host", "0.0.0.0", "--port", "0")
    assert "can be reached from other machines" in said


@pytest.mark.parametrize(
    "apps",
    [["auth"], pytest.param(["auth", "records"], marks=pytest.mark.long)],
    ids=["no table of records", "no records"],
)
def test_the_demo_refuses_a_database_with_people_before_it_is_migrated(tmp_path: Path, apps: list[str]) -> None:
    file = tmp_path / "theirs.sqlite3"
    url = f"sqlite:///{file}"
    for app in apps:
        manage("migrate", app, "--verbosity", "0", BACKOFFICE_VAR=str(tmp_path), DATABASE_URL=url)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, date_joined, first_name, "
            "last_name, email) VALUES ('ann', '!', 1, 1, 1, '2026-01-01', '', '', '')"
        )
    before = tables_and_migrations(file)
    said = refused(tmp_path, "--demo", "--port", "0", DATABASE_URL=url)
    assert "holds people but none of the demo's records" in said
    assert tables_and_migrations(file) == before


def test_the_demo_names_a_database_that_cannot_be_asked(tmp_path: Path) -> None:
    said = refused(tmp_path, "--demo", "--port", "0", DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/db")
    assert "The database does not say who is in it" in said


def manage(*arguments: str, **environment: str) -> None:
    own = {**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings", **environment}
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=own, check=True)


def tables_and_migrations(file: Path) -> list[object]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [
            database.execute(f"SELECT {what} ORDER BY 1").fetchall()
            for what in ("sql FROM sqlite_master", "id, app, name FROM django_migrations")
        ]
