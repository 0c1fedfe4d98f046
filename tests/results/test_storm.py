"""A storm of tasks that end in every way, on real workers, while Redis and the database go away in turn.

Afterwards ledger, TaskResult and Redis are compared row by row.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.actors import Stage
from tests.faults.own_postgresql import ask, own_postgresql
from tests.runs.factories import probes
from tests.servers import wait_until
from tests.workers import ROOT, database_url, environment

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class Storm:
    """Waves of tasks beside a run of slow records, on the database of that URL."""

    def __init__(self, stage: Stage, url: str) -> None:
        self.stage, self.file = stage, stage.directory / "wanted.json"
        stage.settings["DATABASE_URL"] = url

    def run(self, *command: str) -> str:
        variables = environment(REDIS_URL=self.stage.url, **self.stage.settings)
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=variables, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def say(self, command: str) -> str:
        return self.run("-m", "tests.results.storm", command, str(self.file))

    def state(self, name: str) -> Any:
        return json.loads(self.say("state"))[name]

    def begin(self) -> None:
        self.stage.beat()
        self.stage.control()
        self.stage.worker("-Q", "records,tasks", "-I", "tests.results.storm_tasks", processes=3, PROBE_SECONDS="0.05")
        self.stage.click()

    def wave(self, interrupt: Callable[[], object]) -> None:
        """Interrupted when some of its tasks have begun and others have not."""
        before = self.state("begun") if self.file.exists() else 0
        self.say("send")
        wait_until(lambda: self.state("begun") > before, 60, "the wave has begun")
        interrupt()

    def restart_redis(self) -> None:
        self.stage.redis.stop()
        time.sleep(2)
        self.stage.start_redis()

    def rage(self, take_database: Callable[[], object]) -> None:
        self.begin()
        for interrupt in (self.restart_redis, take_database, self.restart_redis, take_database, lambda: None):
            self.wave(interrupt)
        with suppress(TimeoutError):
            wait_until(lambda: not self.state("left"), 180)
        assert self.state("left") == []
        assert self.say("compare") == ""


def test_redis_rows_and_ledger_agree_after_a_storm_on_sqlite(stage, is_sqlite):
    if not is_sqlite:
        pytest.skip("PostgreSQL has no such lock")

    def lock() -> None:
        holder = stage.script("hold_lock", "25")  # seconds; a writer waits for 20
        wait_until(lambda: holder.says("held"), what="the lock held")
        holder.process.wait(60)

    probes(400, behaviour="slow")
    Storm(stage, database_url()).rage(lock)


def test_redis_rows_and_ledger_agree_after_a_storm_on_postgresql(stage, is_sqlite):
    with own_postgresql(is_sqlite) as server:

        def restart() -> None:
            server.stop()
            time.sleep(5)
            server.start()
            wait_until(lambda: ask(server.url, "SELECT 1"), what="PostgreSQL back")

        storm = Storm(stage, server.url)
        for command in ("migrate", "setup_backoffice"):
            storm.run("manage.py", command)
        ask(server.url, "INSERT INTO probe_probe (text, behaviour, result, effects, processed)"
                        " SELECT 'p' || n, 'slow', '', 0, false FROM generate_series(1, 400) n")  # fmt: skip
        storm.rage(restart)
