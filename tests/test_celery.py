"""What the usual guides to Celery tell people to type, typed: in processes that know nothing of Django."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from celery.result import AsyncResult
from celery.signals import before_task_publish
from django.db import transaction

from backoffice.redis_url import database
from records.tasks import add
from tests.workers import ROOT, Worker, environment, running_worker

pytestmark = [pytest.mark.once, pytest.mark.processes]

BY_NAME = """
from backoffice.celery import app
print(app.send_task("records.tasks.add", [2, 3]).get(timeout=30))
"""
BY_SIGNATURE = """
from backoffice.celery import app
print(app.signature("records.tasks.add", [2, 3]).delay().get(timeout=30))
"""
BY_TASK = """
from backoffice import celery_app
celery_app.loader.import_default_modules()
print(celery_app.tasks["records.tasks.add"].delay(2, 3).get(timeout=30))
"""


# An installation that has more to hide than the tests' own: in names, in addresses, at a depth, and anywhere else.
HIDING = """
from tests.settings import *
SECRET_KEY = "hidden-key"
DATABASES["default"]["PASSWORD"] = "hidden-database"
CACHES = {"default": {
    "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://:hidden-cache@127.0.0.1:1/3",
}}
REPLICAS = ["postgresql://anna:hidden-replica@127.0.0.1:1/one", {"dsn": "https://hidden-dsn@example.org/1"}]
MOTTO = "opens with hidden-key"
"""
TRUE_VALUES = "from backoffice.celery import app; print(app.conf.broker_url, app.conf.result_backend)"


def python(*arguments: str, **extra: str) -> str:
    command = [sys.executable, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment(**extra), capture_output=True, text=True, timeout=90)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout.strip()


def celery(*arguments: str, **extra: str) -> str:
    return python("-m", "celery", "-A", "backoffice", *arguments, **extra)


def test_a_script_that_only_imports_the_app_calls_and_waits(worker: Worker):
    assert [python("-c", script) for script in (BY_NAME, BY_SIGNATURE, BY_TASK)] == ["5", "5", "5"]


def test_the_command_line_calls_and_shows_the_result(worker: Worker):
    task_id = celery("call", "records.tasks.add", f"--args={json.dumps([2, 3])}").splitlines()[-1]
    assert AsyncResult(task_id).get(timeout=30) == 5
    assert celery("result", task_id).splitlines()[-1] == "5"


CALLS = {
    "delay_on_commit": lambda: add.delay_on_commit(2, 3),
    "apply_async_on_commit": lambda: add.apply_async_on_commit([2, 3]),
}


@pytest.mark.parametrize("way", CALLS)
def test_a_call_on_commit_is_sent_after_the_commit_and_not_before(worker: Worker, way: str):
    sent: list[str] = []

    def note(headers: dict[str, str], **_: object) -> None:
        sent.append(headers["id"])

    before_task_publish.connect(note)
    try:
        with transaction.atomic():
            CALLS[way]()
            assert sent == []
    finally:
        before_task_publish.disconnect(note)
    assert [AsyncResult(task_id).get(timeout=30) for task_id in sent] == [5]


@pytest.fixture
def hiding(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "hiding.py").write_text(HIDING)
    return {"DJANGO_SETTINGS_MODULE": "hiding", "PYTHONPATH": str(tmp_path)}


@pytest.mark.long
def test_no_report_and_no_inspection_shows_a_secret(transactional_db: None, hiding: dict[str, str]):
    password = urlsplit(os.environ["REDIS_URL"]).password
    assert password
    asked = [["report"], ["inspect", "report"], ["inspect", "conf", "--json", "true"]]
    with running_worker(**hiding):
        shown = [celery(*arguments, **hiding) for arguments in asked]
    assert [each.count("CELERY_BROKER_URL") for each in shown] == [1, 1, 1]
    assert [secret for secret in (password, "hidden-") if any(secret in each for each in shown)] == []


def test_the_app_itself_keeps_the_true_addresses():
    url = os.environ["REDIS_URL"]
    assert python("-c", TRUE_VALUES) == f"{database(url, 0)} {database(url, 1)}"
