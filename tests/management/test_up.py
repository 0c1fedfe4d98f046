"""`manage.py up` for real: every process started, and none left."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from backoffice.management import warden
from backoffice.management.redis_server import answers
from tests.management.started import ROOT, Up, up
from tests.servers import wait_until

pytestmark = [pytest.mark.once, pytest.mark.processes]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """To start one takes longer than what is asked of it: the last of its tests ends it."""
    with up(tmp_path_factory.mktemp("demo"), "--demo", "--port", "0") as started:
        started.wait_running()
        yield started


def test_workers_beat_and_doctor_reach_the_private_redis_on_its_socket(demo: Up) -> None:
    assert (demo.var / "redis/redis.sock").is_socket()
    processed = typed(demo.var, "process", "records.YourModel", "--filter", "id__lte=20", "--wait", "--json")
    assert processed["succeeded"] + processed["failed"] == processed["total"] > 0
    wait_until(lambda: firings(demo.var / "db.sqlite3"), what="what beat sends")
    checks = typed(demo.var, "doctor", "--json")["checks"]
    assert [check for check in checks if not check["ok"]] == []
    assert str(demo.var / "redis/redis.sock") in json.dumps(checks)


def test_the_demo_answers_and_one_ctrl_c_leaves_nothing_behind(demo: Up) -> None:
    assert demo.get("/healthz") == (200, "ok")
    assert demo.get("/admin/login/")[0] == 200
    assert "operator" in demo.output
    redis_url = (demo.var / "redis/url").read_text()
    assert redis_url.startswith("unix://:")
    assert answers(redis_url)
    assert redis_url.rpartition("@")[0].rpartition(":")[2] not in demo.output
    assert len(demo.sessions) == 7  # redis, worker, tasks, control, beat, web and the warden
    demo.process.send_signal(signal.SIGINT)
    assert demo.wait_end() == 0
    assert demo.orphans() == []
    assert not answers(redis_url)
    assert not (demo.var / "redis/url").exists()


@pytest.mark.long
def test_the_plain_start_adds_no_login(tmp_path: Path) -> None:
    with up(tmp_path, "--port", "0") as started:
        started.wait_running()
        assert "operator" not in started.output
        started.process.send_signal(signal.SIGTERM)
        assert started.wait_end() == 0
        assert started.orphans() == []


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One without demo and users, of a team with a queue of its own; the last of its tests ends it."""
    folder = tmp_path_factory.mktemp("empty")
    own = "from kombu import Queue\nfrom backoffice.settings import *\nCELERY_TASK_QUEUES += [Queue('heavy')]\n"
    (folder / "site_settings.py").write_text(own)
    path = os.pathsep.join([str(folder), str(ROOT)])
    with up(folder, "--port", "0", DJANGO_SETTINGS_MODULE="site_settings", PYTHONPATH=path) as started:
        started.wait_running()
        yield started


def test_a_queue_of_a_teams_own_has_a_worker(empty: Up) -> None:
    assert empty.pid_of("worker", "-Q heavy", "-c 1")
    assert "heavy@" in empty.output


def test_a_start_without_users_says_how_the_first_one_is_made(empty: Up) -> None:
    wait_until(lambda: "manage.py createsuperuser" in empty.output, what="the sentence")


def test_a_killed_worker_comes_back_and_its_own_children_are_ended(empty: Up) -> None:
    pid = empty.pid_of("-Q records")
    before = empty.output.count("records@")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "worker was started again" in empty.output, what="the restart")
    assert warden.members(pid) == []
    wait_until(lambda: empty.output.count("records@") > before, what="the worker's ready line")
    empty.process.send_signal(signal.SIGINT)
    assert empty.wait_end() == 0
    assert empty.orphans() == []


@pytest.mark.long
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


@pytest.mark.long
def test_a_redis_of_ones_own_is_used_and_left_running(tmp_path: Path) -> None:
    url = os.environ["REDIS_URL"]
    with up(tmp_path, "--port", "0", REDIS_URL=url) as started:
        started.wait_running()
        assert len(started.sessions) == 6  # all but redis
        started.process.send_signal(signal.SIGINT)
        assert started.wait_end() == 0
        assert started.orphans() == []
    assert answers(url)


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
