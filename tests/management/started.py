"""A real `manage.py up` with a folder of its own, for tests."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from backoffice.management import warden
from tests.servers import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
RUNNING = "The back office is running:"


class Up:
    """One `manage.py up` with a folder of its own."""

    def __init__(self, var: Path, *arguments: str, **environment: str) -> None:
        own = {"BACKOFFICE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "backoffice.settings", "PYTHONPATH": str(ROOT)}
        inherited = {
            k: v
            for k, v in os.environ.items()
            if k not in {"REDIS_URL", "DATABASE_URL", "BACKOFFICE_TEST_DIR", "MAKELEVEL"}
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
