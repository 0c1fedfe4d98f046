"""What the usual guides to Celery tell people to type, typed: in processes that know nothing of Django."""

import json
import subprocess
import sys

import pytest
from celery.result import AsyncResult
from celery.signals import before_task_publish
from django.db import transaction

from records.tasks import add
from tests.workers import ROOT, Worker, environment

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


def python(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=90)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout.strip()


def celery(*arguments: str) -> str:
    return python("-m", "celery", "-A", "backoffice", *arguments)


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
