"""A setting that cannot be used is told in one sentence by every program: no traceback, no password."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
CELERY = [sys.executable, "-m", "celery", "-A", "backoffice"]
GUNICORN = [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application", "--bind", "127.0.0.1:0"]
PROGRAMS = {
    "doctor": [*MANAGE, "doctor"],
    "check": [*MANAGE, "check"],
    "up": [*MANAGE, "up", "--port", "0", "--stop-with-parent"],
    "worker": [*CELERY, "worker"],
    "beat": [*CELERY, "beat"],
    "report": [*CELERY, "report"],
    "inspect": [*CELERY, "inspect", "ping"],
    "gunicorn": GUNICORN,
    "gunicorn, our configuration": [*GUNICORN, "--config", "python:backoffice.front.config"],
    "script": [sys.executable, "-c", "from backoffice.celery import app; app.send_task('a')"],
}
SENTINEL = ("REDIS_URL", "sentinel://:geheim@a:26379/0", "Sentinel")
SETTINGS = [
    SENTINEL,
    ("REDIS_URL", "redis://:geheim/x@host:6379", "REDIS_URL cannot be read"),
    ("REDIS_URL", "redis://:geheim[@host:6379", "REDIS_URL cannot be read"),
    ("REDIS_URL", "http://:geheim@host:6379", "REDIS_URL cannot be read"),
    ("REDIS_URL", "geheim:6379", "REDIS_URL cannot be read"),
    ("REDIS_URL", "unix://geheim/x.sock", "unix:///run"),
    ("DATABASE_URL", "postgresql://anna:geheim/x@host:5432/name", "DATABASE_URL cannot be read"),
    ("DATABASE_URL", "nonsense://anna:geheim@host/name", "DATABASE_URL cannot be read"),
    ("DATABASE_URL", "geheim", "DATABASE_URL cannot be read"),
    ("EMAIL_URL", "mail://anna:geheim@host", "EMAIL_URL cannot be read"),
    ("DJANGO_DEBUG", "perhaps", "DJANGO_DEBUG='perhaps' is neither yes nor no"),
    ("DJANGO_BEHIND_PROXY", "-1", "DJANGO_BEHIND_PROXY='-1' is neither yes nor no"),
    ("BACKOFFICE_VAR", "/dev/null/var", "BACKOFFICE_VAR cannot be used, /dev/null"),
]
CASES = [(program, *SENTINEL) for program in PROGRAMS] + [("doctor", *setting) for setting in SETTINGS[1:]]


@pytest.mark.parametrize(("program", "name", "value", "sentence"), CASES)
def test_one_sentence_is_all_that_is_said(tmp_path: Path, program: str, name: str, value: str, sentence: str) -> None:
    own = {"DJANGO_SETTINGS_MODULE": "backoffice.settings", "BACKOFFICE_VAR": str(tmp_path), name: value}
    command = PROGRAMS[program]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, timeout=90)
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "geheim" not in ended.stdout + ended.stderr
    assert ended.returncode == (4 if program == "gunicorn" else 1), (
        ended.stderr
    )  # so its workers say: do not replace us
    if not program.startswith("gunicorn"):
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
