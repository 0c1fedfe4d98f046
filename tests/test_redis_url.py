"""One REDIS_URL, three readers: kombu, Celery's result backend and redis-py reach the same server and database."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery, current_app
from django.core.exceptions import ImproperlyConfigured
from django_celery_results.models import TaskResult
from kombu import Connection

from backoffice import queues
from backoffice.desk.health import redis_probe
from backoffice.management.redis_server import PrivateRedis, answers, check
from backoffice.redis_url import database, for_client
from tests import servers
from tests.workers import environment, running_worker

pytestmark = pytest.mark.once

TLS = "rediss://anna:p%40ss@h:6380"
TABLE = [
    # REDIS_URL, where, user, password
    ("redis://127.0.0.1:6379", "127.0.0.1", None, None),
    ("redis://:p%40ss@h:7000/5", "h", None, "p@ss"),
    ("redis://anna:p%40ss@h/3?db=4", "h", "anna", "p@ss"),
    ("redis://h?password=p%40%2Fss", "h", None, "p@/ss"),
    ("redis://h?username=anna&password=secret", "h", "anna", "secret"),
    (TLS, "h", "anna", "p@ss"),
    (f"{TLS}/7?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=/etc/ca.pem", "h", "anna", "p@ss"),
    (f"{TLS}?ssl_cert_reqs=none", "h", "anna", "p@ss"),
    ("unix:///run/redis.sock", "/run/redis.sock", None, None),
    ("unix:///run/redis.sock?db=9", "/run/redis.sock", None, None),
    ("unix://anna:p%40ss@/run/redis.sock", "/run/redis.sock", "anna", "p@ss"),
    ("unix:///run/redis.sock?password=secret&db=3", "/run/redis.sock", None, "secret"),
    ("socket:///run/redis.sock", "/run/redis.sock", None, None),
    ("redis+socket://:secret@/run/a%20b.sock?virtual_host=8", "/run/a b.sock", None, "secret"),
]


def as_redis_py(url: str) -> dict[str, object]:
    return dict(redis.ConnectionPool.from_url(for_client(url)).connection_kwargs)


def as_kombu(url: str) -> dict[str, object]:
    with Connection(url) as connection:
        channel = object.__new__(connection.transport.Channel)  # a real one asks the server at once
        channel.connection = connection.transport
        return dict(channel._connparams())


def as_celery(url: str) -> dict[str, object]:
    app = Celery(set_as_current=False)
    app.conf.result_backend = url
    return dict(app.backend.connparams)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(("url", "where", "user", "password"), TABLE)
@pytest.mark.parametrize("reader", [as_redis_py, as_kombu, as_celery])
def test_each_library_finds_server_user_and_database(reader, url, where, user, password, number):
    read = reader(database(url, number))
    assert (read.get("path") or read["host"], int(read.get("db") or 0)) == (where, number)
    assert (read.get("username"), read.get("password")) == (user, password)


@pytest.mark.parametrize("reader", [as_redis_py, as_kombu, as_celery])
@pytest.mark.parametrize(
    ("query", "wanted"), [("", 2), ("?ssl_cert_reqs=CERT_REQUIRED", 2), ("?ssl_cert_reqs=none", 0)]
)
def test_a_certificate_is_looked_at_unless_told_otherwise(reader, query, wanted):
    read = reader(database(TLS + query, 0))["ssl_cert_reqs"]
    assert {"required": 2, "none": 0}.get(str(read), read) == wanted


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sentinel://:geheim@a:26379/0", "Sentinel"),
        ("sentinel://:geheim@a:26379;sentinel://:geheim@b:26379", "the one Redis"),
        ("redis://:geheim@a:6379;redis://:geheim@b:6379", "the one Redis"),
        ("unix://run/redis.sock?password=geheim", "unix:///run"),
        ("socket://:geheim@", "unix:///run"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_sentence(url, told):
    with pytest.raises(ImproperlyConfigured, match=told) as refusal:
        database(url, 0)
    assert "geheim" not in str(refusal.value)


def stats(url: str) -> str:
    command = [sys.executable, "-m", "celery", "-A", "backoffice", "inspect", "stats", "--timeout", "10"]
    return subprocess.run(command, env=environment(REDIS_URL=url), check=True, capture_output=True, text=True).stdout


@pytest.fixture
def on_a_socket(tmp_path: Path) -> Iterator[str]:
    """A real server that listens on a socket only."""
    server = PrivateRedis.configure(tmp_path / "redis")
    path, password = tmp_path / "redis.sock", server.url.split(":")[2].partition("@")[0]
    url = f"unix://:{password}@{path}"
    command = (*server.command, "--port", "0", "--unixsocket", str(path))
    with servers.running(command, tmp_path / "log", ready=lambda _pid: answers(url)):
        yield url


@pytest.mark.long
@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_worker_on_a_socket_takes_a_call_and_its_result_comes_back(on_a_socket, tmp_path):
    check(on_a_socket)
    broker, results = database(on_a_socket, 0), database(on_a_socket, 1)
    with running_worker(REDIS_URL=on_a_socket) as worker, Connection(broker) as connection:
        call = current_app.send_task("records.tasks.add", (2, 3), queue="tasks", connection=connection)
        client = redis.Redis.from_url(for_client(results))
        servers.wait_until(lambda: client.exists(f"celery-task-meta-{call.id}"), what="the result")
        shown = worker.log.read_text() + stats(on_a_socket)
    assert str(tmp_path / "redis.sock") in shown
    assert on_a_socket.split(":")[2].partition("@")[0] not in shown
    assert TaskResult.objects.get(task_id=call.id).status == "SUCCESS"  # its backend writes the row too
    asked = redis_probe.ask(broker, queues.declared())
    assert (asked.ok, asked.address, asked.depths["tasks"]) == (True, str(tmp_path / "redis.sock"), 0)
