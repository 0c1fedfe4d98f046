"""The machine's other users read neither the database nor anything else in var/."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice import private

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """The umask of a machine that lets everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def migrate(var: Path, **environment: str) -> None:
    without = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BACKOFFICE_TEST_DIR"}}
    own = {"BACKOFFICE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0", "contenttypes"]
    subprocess.run(command, cwd=ROOT, env=without | own | environment, check=True)


def test_a_new_installation_is_closed_to_others(tmp_path: Path) -> None:
    var = tmp_path / "new" / "var"
    migrate(var)
    assert mode(var) == 0o700
    assert {path.name: mode(path) for path in var.glob("db.sqlite3*")} == {"db.sqlite3": 0o600}
    assert mode(var / "secret_key") == 0o600


def test_an_open_installation_is_closed_at_the_next_start(tmp_path: Path) -> None:
    var, elsewhere = tmp_path / "var", tmp_path / "data" / "own.sqlite3"
    for folder in (var, elsewhere.parent):
        folder.mkdir(mode=0o755)
    for file in (var / "db.sqlite3", elsewhere):
        file.touch(mode=0o644)
    migrate(var)
    migrate(var, DATABASE_URL=f"sqlite:///{elsewhere}")
    assert (mode(var), mode(var / "db.sqlite3"), mode(elsewhere)) == (0o700, 0o600, 0o600)
    assert mode(elsewhere.parent) == 0o755  # it may hold more than the database


def test_the_files_beside_the_database_are_closed_too(tmp_path: Path) -> None:
    file = tmp_path / "db"
    file.touch(mode=0o644)
    for name in ("db-wal", "db-shm"):
        (tmp_path / name).touch(mode=0o644)
    connection = sqlite3.connect(file, factory=private.PrivateFile)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == dict.fromkeys(["db", "db-wal", "db-shm"], 0o600)
    connection.close()


def test_a_second_connection_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    first = sqlite3.connect(tmp_path / "db", factory=private.PrivateFile, isolation_level=None)
    first.execute("BEGIN EXCLUSIVE")
    sqlite3.connect(tmp_path / "db", factory=private.PrivateFile).close()
    attempt = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('CREATE TABLE t (x)')"
    other = subprocess.run([sys.executable, "-c", attempt, str(tmp_path / "db")], capture_output=True, check=False)
    assert b"database is locked" in other.stderr
    first.close()


def test_a_folder_that_all_users_share_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert mode(private.folder(tmp_path)) == 0o1777
