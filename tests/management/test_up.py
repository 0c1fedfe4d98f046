"""`manage.py up` for real: every process started, and none left."""

import contextlib
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from backoffice.management import warden
from backoffice.management.redis_server import answers, free_port
from tests.servers import wait_until

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent.parent
RUNNING = "The back office is running:"


class Up:
    """One `manage.py up` with a folder of its own."""

    def __init__(self, var: Path, *arguments: str, **environment: str) -> None:
        own = {"BACKOFFICE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "backoffice.settings", "PYTHONPATH": str(ROOT)}
        inherited = {
            k: v for k, v in os.environ.items() if k not in {"REDIS_URL", "DATABASE_URL", "BACKOFFICE_TEST_DIR"}
        }
        self.var = var
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--workers", "2", "--stop-with-parent", *arguments],
            cwd=ROOT,
            env={**inherited, **own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.sessions: set[int] = set()

    @property
    def output(self) -> str:
        return "".join(self._lines)

    def wait_running(self) -> None:
        wait_until(lambda: RUNNING in self.output or self.process.poll() is not None, 90, "the back office")
        assert RUNNING in self.output, self.output
        self.sessions = {session for _, parent, session in processes() if parent == self.process.pid}

    def wait_end(self, seconds: float = 60) -> int:
        code = self.process.wait(timeout=seconds)
        self._reader.join(10)
        return code

    def get(self, path: str) -> tuple[int, str]:
        found = re.search(r"http://([\d.]+):(\d+)/", self.output)
        assert found
        connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def pid_of(self, *words: str) -> int:
        """The process that `up` itself started with all these words in its command line."""
        commands = {
            pid: command for pid, parent, _ in processes() if parent == self.process.pid for command in [line(pid)]
        }
        found = [pid for pid, command in commands.items() if all(word in command for word in words)]
        assert len(found) == 1, commands
        return found[0]

    def orphans(self) -> list[str]:
        return [line(pid) for session in self.sessions for pid in warden.members(session)]

    def _read(self) -> None:
        assert self.process.stdout
        for text in self.process.stdout:
            self._lines.append(text)


def processes() -> list[tuple[int, int, int]]:
    """(pid, parent, session) of everything that runs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                found.append((int(entry.name), int(fields[1]), int(fields[3])))
    return found


def line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@contextlib.contextmanager
def up(var: Path, *arguments: str, **environment: str) -> Iterator[Up]:
    started = Up(var, *arguments, **environment)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.process.wait(timeout=60)


def refused(var: Path, *arguments: str, **environment: str) -> str:
    """What `up` says when it starts nothing; checks that it did not."""
    with up(var, *arguments, **environment) as started:
        code = started.wait_end()
    assert code in {1, 2}, started.output
    assert not (var / "db.sqlite3").exists()
    assert not (var / "redis" / "url").exists()
    assert "Traceback" not in started.output
    return started.output


def test_the_demo_answers_and_one_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    with up(tmp_path, "--demo", "--port", "0") as started:
        started.wait_running()
        assert started.get("/healthz") == (200, "ok")
        assert started.get("/admin/login/")[0] == 200
        assert "operator" in started.output
        redis_url = (tmp_path / "redis/url").read_text()
        assert redis_url.startswith("unix://:")
        assert answers(redis_url)
        assert redis_url.rpartition("@")[0].rpartition(":")[2] not in started.output
        assert len(started.sessions) == 7  # redis, worker, tasks, control, beat, web and the warden
        started.process.send_signal(signal.SIGINT)
        assert started.wait_end() == 0
        assert started.orphans() == []
        assert not answers(redis_url)
        assert not (tmp_path / "redis/url").exists()


def test_workers_beat_and_doctor_reach_the_private_redis_on_its_socket(tmp_path: Path) -> None:
    with up(tmp_path, "--demo", "--port", "0") as started:
        started.wait_running()
        assert (tmp_path / "redis/redis.sock").is_socket()
        processed = typed(tmp_path, "process", "records.YourModel", "--filter", "id__lte=20", "--wait", "--json")
        assert processed["succeeded"] + processed["failed"] == processed["total"] > 0
        wait_until(lambda: firings(tmp_path / "db.sqlite3"), what="what beat sends")
        checks = typed(tmp_path, "doctor", "--json")["checks"]
        assert [check for check in checks if not check["ok"]] == []
        assert str(tmp_path / "redis/redis.sock") in json.dumps(checks)


@pytest.mark.slow
def test_the_plain_start_adds_no_login(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        assert "operator" not in started.output
        started.process.send_signal(signal.SIGTERM)
        assert started.wait_end() == 0
        assert started.orphans() == []


def test_a_killed_worker_comes_back_and_its_own_children_are_ended(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        pid = started.pid_of("-Q records")
        before = started.output.count("records@")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: "worker was started again" in started.output, what="the restart")
        assert warden.members(pid) == []
        wait_until(lambda: started.output.count("records@") > before, what="the worker's ready line")
        started.process.send_signal(signal.SIGINT)
        assert started.wait_end() == 0
        assert started.orphans() == []


@pytest.mark.slow
def test_a_killed_redis_comes_back_on_its_socket(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        url = (tmp_path / "redis/url").read_text()
        os.kill(redis.Redis.from_url(url).info("server")["process_id"], signal.SIGKILL)
        wait_until(lambda: "redis was started again" in started.output and answers(url), what="Redis")
        started.process.send_signal(signal.SIGINT)
        assert started.wait_end() == 0
        assert started.orphans() == []


def test_when_up_itself_is_killed_everything_still_ends(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        started.process.kill()
        started.wait_end()
        wait_until(lambda: not started.orphans(), 60, "the orphans' end")


@pytest.mark.slow
def test_a_redis_of_ones_own_is_used_and_left_running(tmp_path: Path) -> None:
    url = os.environ["REDIS_URL"]
    with up(tmp_path, "--port", "0", REDIS_URL=url) as started:
        started.wait_running()
        assert len(started.sessions) == 6  # all but redis
        started.process.send_signal(signal.SIGINT)
        assert started.wait_end() == 0
        assert started.orphans() == []
    assert answers(url)


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, "--port", str(port))
    assert f"Port {port} on 127.0.0.1 is taken by another program" in said
    assert f"--port {port + 1}" in said


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


def test_a_start_without_users_says_how_the_first_one_is_made(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        wait_until(lambda: "manage.py createsuperuser" in started.output, what="the sentence")


@pytest.mark.parametrize("apps", [["auth"], ["auth", "records"]], ids=["no table of records", "no records"])
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


def typed(var: Path, *arguments: str) -> dict[str, Any]:
    """The JSON that a command in another terminal ends with."""
    own = {
        "BACKOFFICE_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        "REDIS_URL": "",
        "DATABASE_URL": "",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True
    )
    assert ended.stdout, ended.stderr
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def firings(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT sum(total_run_count) FROM django_celery_beat_periodictask").fetchone()[0])


def manage(*arguments: str, **environment: str) -> None:
    own = {**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings", **environment}
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=own, check=True)


def tables_and_migrations(file: Path) -> list[object]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [
            database.execute(f"SELECT {what} ORDER BY 1").fetchall()
            for what in ("sql FROM sqlite_master", "id, app, name FROM django_migrations")
        ]
