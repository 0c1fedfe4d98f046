"""FAULTS 14: the database is locked (SQLite), or stopped and started (PostgreSQL)."""

import subprocess
import sys

import pytest
from django_celery_results.models import TaskResult

from tests.faults.counts import assert_all_succeeded, some_are_done, the_run, wait_finished
from tests.faults.own_postgresql import Server, ask, own_postgresql
from tests.runs.factories import probes
from tests.servers import wait_until
from tests.workers import ROOT, environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_database_locked_for_half_a_minute_turns_no_success_into_a_failure(stage, is_sqlite):
    if not is_sqlite:
        pytest.skip("PostgreSQL has no such lock")
    probes(300, behaviour="slow")
    stage.beat()
    stage.worker(PROBE_SECONDS="0.05")
    stage.click()
    wait_until(some_are_done, what="some done")
    holder = stage.script("hold_lock", "30")
    wait_until(lambda: holder.says("held"), what="the lock held")
    holder.process.wait(60)
    assert_all_succeeded(wait_finished(the_run(), 120), 300)
    assert not TaskResult.objects.filter(task_id__startswith=the_run().uid).exclude(status="SUCCESS").exists()


def test_postgresql_stopped_and_started_again_loses_and_doubles_nothing(stage, is_sqlite):
    with own_postgresql(is_sqlite) as server:
        _stop_and_start(stage, server)


def _stop_and_start(stage, server: Server) -> None:
    url = server.url
    stage.settings["DATABASE_URL"] = url
    manage = [sys.executable, "manage.py"]
    variables = environment(REDIS_URL=stage.url, DATABASE_URL=url)
    for command in (["migrate", "-v0"], ["setup_backoffice"]):
        subprocess.run([*manage, *command], cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL)
    ask(url, "INSERT INTO probe_probe (text, behaviour, result, effects, processed)"
             " SELECT 'p' || n, 'slow', '', 0, false FROM generate_series(1, 600) n")  # fmt: skip
    stage.beat()
    stage.worker(PROBE_SECONDS="0.05")
    stage.click()
    done = "SELECT succeeded + failed FROM runs_run"
    for _ in range(3):
        before = ask(url, done)
        wait_until(lambda before=before: (ask(url, done) or 0) > before, 60, what="more done")
        server.stop()
        server.start()
    wait_until(lambda: ask(url, "SELECT count(*) FROM runs_run WHERE finished_at IS NOT NULL"), 120, "finished")
    assert ask(url, "SELECT succeeded FROM runs_run") == 600
    assert ask(url, "SELECT count(*) FROM probe_probe WHERE effects = 1") == 600
    assert ask(url, "SELECT count(*) FROM runs_runitem WHERE state = 'SUCCESS'") == 600
    assert ask(url, "SELECT count(*) FROM django_celery_results_taskresult WHERE status = 'SUCCESS'"
                    " AND task_name LIKE '%.poke'") == 600  # fmt: skip
    assert ask(url, "SELECT sum(deaths) FROM runs_runitem") == 0
