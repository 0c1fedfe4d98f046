"""Private servers for the tests: Redis and PostgreSQL on free loopback ports, in temporary folders, ended with us."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from backoffice.management.redis_server import PrivateRedis, answers, free_port
from backoffice.management.warden import Warden, send, wait_gone


class NoServer(Exception):
    """There is no such server on this machine; the message says what to install."""


def wait_until(condition: Callable[[], object], seconds: float = 30.0, what: str = "the condition") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come about in {seconds:g} seconds")
        time.sleep(0.05)


@contextlib.contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """Yields the URL."""
    server = PrivateRedis.configure(directory)
    with _running(server.command, directory / "log", ready=lambda: answers(server.url)):
        yield server.url


@contextlib.contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """Yields the URL of an empty database. Raises NoServer."""
    binaries = _postgresql_binaries()
    user = _unprivileged_user()
    data = directory / "data"
    port = free_port()
    if user:  # PostgreSQL refuses to run as root
        shutil.chown(directory, user, _group(user))
    initdb = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "backoffice",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run([*map(str, initdb)], check=True, stdout=subprocess.DEVNULL, cwd=directory, **_as(user))
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "100",
        # Nothing here outlives the tests: a crash of the machine may take it.
        "fsync": "off",
        "full_page_writes": "off",
    }
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-d", "postgres"]
    with _running(
        # SIGINT is its fast shutdown; SIGTERM waits for every client to leave.
        command,
        directory / "log",
        ready=lambda: subprocess.run(ready, check=False).returncode == 0,
        stop=signal.SIGINT,
        user=user,
    ):
        yield f"postgresql://backoffice@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """Readable for the user PostgreSQL runs as, which the standard library's mode 0700 is not."""
    with tempfile.TemporaryDirectory(prefix="backoffice-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextlib.contextmanager
def _running(
    command: tuple[str, ...] | list[str],
    log: Path,
    ready: Callable[[], bool],
    stop: signal.Signals = signal.SIGTERM,
    user: str | None = None,
) -> Iterator[None]:
    """A session of its own, as Ctrl-C is for pytest; the warden ends it should pytest be killed."""
    warden = Warden()
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=log.parent,
                **_as(user),
            )
        warden.add(process.pid, 5)
        try:
            wait_until(lambda: process.poll() is not None or ready(), what=f"{command[0]} ready")
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once: {log.read_text(errors='replace')[-2000:]}")
            yield
        finally:
            process.send_signal(stop)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            if not wait_gone(process.pid, 1):
                send(process.pid, signal.SIGKILL)
            process.wait()
            warden.remove(process.pid)
    finally:
        warden.close()


def _postgresql_binaries() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    places += [Path(p) for p in ("/usr/local/pgsql/bin", *os.environ.get("PATH", "").split(os.pathsep)) if p]
    for place in places:
        # All in one place: on PATH there may be a wrapper of one and not of the others.
        if all(os.access(place / name, os.X_OK) for name in ("initdb", "postgres", "pg_isready")):
            return place
    raise NoServer("no PostgreSQL server in /usr/lib/postgresql or on PATH: apt-get install postgresql")


def _unprivileged_user() -> str | None:
    """Whom PostgreSQL runs as when we are root. Raises NoServer."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoServer("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _group(name: str) -> int:
    return pwd.getpwnam(name).pw_gid


def _as(user: str | None) -> dict[str, object]:
    return {"user": user, "group": _group(user), "extra_groups": []} if user else {}
