"""A program that runs while a block of code does, such as a server of a test's own."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .redis_server import PrivateRedis, answers
from .warden import Warden, send, wait_gone


def wait_until(condition: Callable[[], object], seconds: float = 30.0, what: str = "the condition") -> None:
    """Ask twenty times a second. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about in {seconds:g} seconds")
        time.sleep(0.05)


@contextlib.contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """A Redis of one's own on a free port of this machine, its files in `directory`. Yields the URL."""
    server = PrivateRedis.configure(directory)
    with running(server.command, directory / "log", ready=lambda _pid: answers(server.url)):
        yield server.url


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    *,
    ready: Callable[[int], bool],
    stop: signal.Signals = signal.SIGTERM,
    stop_within: float = 10,
    **how: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """A session of its own, as Ctrl-C is for whoever runs us; the warden ends it should we be killed.

    `ready`: asked with its process id. `how`: what subprocess.Popen takes besides. Raises RuntimeError with the end of
    its log where it ends before it is ready.
    """
    warden = Warden()
    try:
        with log.open("wb") as output:
            options: dict[str, Any] = {"cwd": log.parent, **how}
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                **options,
            )  # fmt: skip
        warden.add(process.pid, 5)
        try:
            wait_until(lambda: process.poll() is not None or ready(process.pid), what=f"{command[0]} ready ({log})")
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once: {log.read_text(errors='replace')[-3000:]}")
            yield process
        finally:
            _stop(process, stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=stop_within)
            if not wait_gone(process.pid, 1):
                send(process.pid, signal.SIGKILL)
            process.wait()
            warden.remove(process.pid)
    finally:
        warden.close()


def _stop(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    """SIGKILL goes to all of its session: nobody is left to end its children."""
    if how == signal.SIGKILL:
        send(process.pid, how)
    else:
        process.send_signal(how)
