"""Ends the processes of a supervisor that was killed and could not end them itself.

Started as a program of its own with a pipe as standard input. The kernel closes that pipe however the supervisor ends,
`kill -9` included; what is still registered then is stopped, last started first. Runs on the standard library alone.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def members(session: int) -> list[int]:
    """The running processes of a session or process group; those that only wait to be reaped are not among them."""
    if not (PROC / "self/stat").exists():  # not Linux
        return [-session] if _signalled(-session, 0) else []
    return [pid for pid, state, group, sid in _processes() if session in (group, sid) and state not in "ZX"]


def send(session: int, signum: int) -> None:
    for pid in members(session):
        _signalled(pid, signum)


def wait_gone(session: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while members(session):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signalled(pid: int, signum: int) -> bool:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True


def _processes() -> Iterator[tuple[int, str, int, int]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # gone since it was listed
                # The name, in brackets, may hold anything. After the last bracket: state, parent, group, session.
                state, _, group, sid = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:4]
                yield int(entry.name), state, int(group), int(sid)


class Warden:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def add(self, session: int, seconds: float) -> None:
        """Stop this session should the supervisor vanish: SIGTERM to its leader, SIGKILL to all after `seconds`."""
        self._tell(f"add {session} {seconds}")

    def remove(self, session: int) -> None:
        self._tell(f"remove {session}")

    def close(self) -> None:
        """Anything still registered is stopped."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, text: str) -> None:
        if self._process.stdin:
            with contextlib.suppress(OSError):  # the warden itself was killed: the supervisor works without
                self._process.stdin.write(f"{text}\n".encode())
                self._process.stdin.flush()


def watch() -> None:
    registered: dict[int, float] = {}
    for line in sys.stdin:
        verb, session, *seconds = line.split()
        if verb == "add":
            registered[int(session)] = float(seconds[0])
        else:
            registered.pop(int(session), None)
    for session, seconds_left in reversed(registered.items()):
        _signalled(session, signal.SIGTERM)
        if not wait_gone(session, seconds_left):
            send(session, signal.SIGKILL)


if __name__ == "__main__":
    watch()
