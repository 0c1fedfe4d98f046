"""Private servers for the tests: Redis and PostgreSQL on free loopback ports, in temporary folders, ended with us."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backoffice.management.redis_server import free_port
from backoffice.management.running import redis_server, running, wait_until

__all__ = ["NoServer", "postgresql_server", "redis_server", "running", "temporary_directory", "wait_until"]


class NoServer(Exception):
    """There is no such server on this machine; the message says what to install."""


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
    with running(
        # SIGINT is its fast shutdown; SIGTERM waits for every client to leave.
        command,
        directory / "log",
        ready=lambda _pid: subprocess.run(ready, check=False).returncode == 0,
        stop=signal.SIGINT,
        **_as(user),
    ):
        yield f"postgresql://backoffice@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """Readable for the user PostgreSQL runs as, which the standard library's mode 0700 is not."""
    with tempfile.TemporaryDirectory(prefix="backoffice-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


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
