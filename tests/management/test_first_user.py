"""The first user, asked for by `manage.py up` on a real terminal."""

import contextlib
import os
import pty
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent.parent
NAME, PASSWORD, AGAIN = "User name (empty: none for now): ", "Password: ", "Again: "
RUNNING = "The back office is running:"
GOOD = "nine-green-herons-7"
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """`manage.py up` as the leader of a terminal of its own."""

    def __init__(self, var: Path) -> None:
        left_out = {"REDIS_URL", "DATABASE_URL", "BACKOFFICE_TEST_DIR"}
        environment = {k: v for k, v in os.environ.items() if k not in left_out}
        environment |= {"BACKOFFICE_VAR": str(var), "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--port", "0", "--workers", "1"]
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, environment)  # noqa: S606 - the child of a fork becomes the program
        self.text, self.seen, self.code = "", 0, None

    def read_to(self, words: str, seconds: float = 90) -> None:
        """Reads until the words stand in what has not been waited for yet."""
        end = time.monotonic() + seconds
        while (at := self.text.find(words, self.seen)) < 0:
            assert time.monotonic() < end, self.text
            assert self._read(), self.text
        self.seen = at + len(words)

    def answer(self, words: str, text: str) -> None:
        self.read_to(words)
        os.write(self.file, text.encode())

    def wait_end(self, pressing: str = "") -> int:
        """A key is pressed until it is heard: Python misses one between the prompt and its first look at the terminal,
        where no person is as quick."""
        os.write(self.file, pressing.encode())
        read = self.text
        while self._read(10 if pressing else 30):
            if self.text == read and pressing:
                os.write(self.file, pressing.encode())
            read = self.text
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def _read(self, seconds: float = 1) -> bool:
        """False at the end of the terminal, which is an error on Linux."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        with contextlib.suppress(OSError):
            data = os.read(self.file, 65_536)
            self.text += data.decode(errors="replace")
            return bool(data)
        return False


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    try:
        yield opened
    finally:
        if opened.code is None:
            os.kill(opened.pid, signal.SIGTERM)
            opened.wait_end()
        os.close(opened.file)


def people(var: Path) -> list[tuple[str, int]]:
    with contextlib.closing(sqlite3.connect(var / "db.sqlite3")) as database:
        return database.execute("SELECT username, is_superuser FROM auth_user").fetchall()


@pytest.mark.long
def test_bad_answers_are_asked_again_and_no_password_is_shown(terminal: Terminal, tmp_path: Path) -> None:
    terminal.answer(NAME, "no spaces\n")
    terminal.answer(NAME, "ann\n")
    terminal.answer(PASSWORD, "123\n")
    terminal.read_to("too short")
    terminal.answer(PASSWORD, f"{GOOD}\n")
    terminal.answer(AGAIN, "another-heron-8\n")
    terminal.read_to("two different passwords")
    terminal.answer(PASSWORD, f"{GOOD}\n")
    terminal.answer(AGAIN, f"{GOOD}\n")
    terminal.read_to(RUNNING)
    assert people(tmp_path) == [("ann", 1)]
    os.write(terminal.file, CTRL_C.encode())
    assert terminal.wait_end() == 0
    assert GOOD not in terminal.text
    assert "another-heron-8" not in terminal.text
    assert "createsuperuser" not in terminal.text


@pytest.mark.long
def test_an_empty_name_starts_without_a_user_and_says_how(terminal: Terminal, tmp_path: Path) -> None:
    terminal.answer(NAME, "\n")
    terminal.read_to("manage.py createsuperuser")
    assert people(tmp_path) == []
    os.write(terminal.file, CTRL_C.encode())
    assert terminal.wait_end() == 0


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (NAME, CTRL_C),
        (PASSWORD, CTRL_D),
        pytest.param(NAME, CTRL_D, marks=pytest.mark.long),
        pytest.param(PASSWORD, CTRL_C, marks=pytest.mark.long),
    ],
    ids=["name ctrl-c", "password ctrl-d", "name ctrl-d", "password ctrl-c"],
)
def test_a_question_that_is_left_starts_nothing(terminal: Terminal, tmp_path: Path, asked: str, key: str) -> None:
    if asked == PASSWORD:
        terminal.answer(NAME, "ann\n")
    terminal.read_to(asked)
    assert terminal.wait_end(pressing=key) == 1
    assert "No user was made and nothing was started." in terminal.text
    assert "Traceback" not in terminal.text
    assert not (tmp_path / "redis" / "url").exists()
