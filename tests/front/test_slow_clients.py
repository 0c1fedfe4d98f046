"""The real web server and real slow, greedy and broken clients on loopback: nobody keeps it from the others."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice.front.config import ALONE
from backoffice.management.redis_server import free_port
from tests.servers import wait_until

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent.parent
LOGIN, IMPORT = "/admin/login/", "/admin/records/yourmodel/import/"
MEGABYTE = 1024 * 1024


class Server:
    def __init__(self, folder: Path, host: str = "127.0.0.1", **environment: str) -> None:
        self.port, self.log = free_port(), folder / "log"
        own = {"BACKOFFICE_VAR": str(folder / "var"), "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
        own |= {"TMPDIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/db"}
        whole = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")} | own | environment
        migrate = [sys.executable, "manage.py", "migrate", "results", "--verbosity", "0"]  # refusals are logged
        subprocess.run(migrate, cwd=ROOT, env=whole, check=True)
        command = ["gunicorn", "backoffice.wsgi:application", "--config", "python:backoffice.front.config"]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, "--bind", f"{host}:{self.port}"],
                cwd=ROOT,
                env=whole,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self.log.read_text().count("Booting worker") == 2, what="both workers")
        wait_until(self.answers, what="the web server")

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/healthz")[0] == 200
        return False

    def get(self, path: str, within: float = 10) -> tuple[int, float]:
        since = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status, time.monotonic() - since

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("front"))
    try:
        yield started
    finally:
        started.stop()


def head(path: str, length: int | None = None, method: str = "POST", *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *more]
    lines += [f"Content-Length: {length}"] if length is not None else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(connection: socket.socket) -> tuple[int, str]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read().decode()


DRIPPING = {
    "nothing at all": b"",
    "half a line": b"GET /adm",
    "half a head": b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "half a form": head(LOGIN, 1000) + b"username=",
    "half a file": head(IMPORT, 20 * MEGABYTE) + b"x" * 100,
    "a form that waits to be asked for": head(LOGIN, 1000, "POST", "Expect: 100-continue"),
}


@pytest.mark.parametrize("begun", DRIPPING.values(), ids=DRIPPING)
def test_clients_that_send_slowly_keep_nobody_waiting(server: Server, begun: bytes) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(server.connect()) for _ in range(60)]
        for connection in slow:
            connection.sendall(begun)
        for drop in range(5):
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.sendall(b"x"[: bool(begun)])
            for _ in range(4):
                status, seconds = server.get("/healthz")
                assert status == 200
                assert seconds < 1, f"{seconds:.1f} s after {drop} drops"


def test_clients_that_read_slowly_keep_nobody_waiting(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            stack.enter_context(connection).connect(("127.0.0.1", server.port))
            connection.sendall(head("/static/unfold/css/styles.css", method="GET"))
        status, seconds = server.get("/healthz")
        assert (status, seconds < 1) == (200, True)


def test_a_reader_who_is_slow_gets_all_of_it(server: Server) -> None:
    whole = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    whole.request("GET", "/static/unfold/css/styles.css")
    expected = whole.getresponse().read()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    with connection:
        connection.connect(("127.0.0.1", server.port))
        connection.settimeout(30)
        connection.sendall(head("/static/unfold/css/styles.css", method="GET"))
        wait_until(lambda: server.get("/healthz")[0] == 200)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.read() == expected


def test_more_connections_than_there_is_room_for_push_out_the_slowest(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(1_000):
            connection = stack.enter_context(server.connect())
            connection.sendall(b"GET /adm")
        for _ in range(10):
            assert server.get("/healthz")[0] == 200


def test_a_head_that_does_not_come_is_not_waited_for(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /adm")
        since = time.monotonic()
        assert answer(connection)[0] == 408
        assert 9 < time.monotonic() - since < 20


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        (LOGIN, 150 * MEGABYTE, 413),
        (LOGIN, 65 * 1024, 413),
        ("/admin/records/yourmodel/", 3 * MEGABYTE, 413),
        ("/nowhere", 3 * MEGABYTE, 413),
        (IMPORT, 21 * MEGABYTE, 413),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    server: Server, path: str, length: int, status: int
) -> None:
    with server.connect() as connection:
        connection.sendall(head(path, length))
        found, page = answer(connection)
    assert found == status
    assert "None of it was kept" in page


def test_a_body_that_is_too_large_is_stored_nowhere_though_it_is_sent(server: Server) -> None:
    folder = server.log.parent
    with server.connect() as connection:
        connection.sendall(head(LOGIN, 150 * MEGABYTE))
        block = b"x" * MEGABYTE
        with contextlib.suppress(OSError):
            for _ in range(150):
                connection.sendall(block)
        assert answer(connection)[0] == 413
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 5 * MEGABYTE
    written = {pid: int(_io(pid)["write_bytes"]) for pid in _children(server.process.pid)}
    assert sum(written.values()) < 20 * MEGABYTE


def test_a_body_of_no_announced_size_is_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(LOGIN, None, "POST", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n")
        assert answer(connection)[0] == 411


def test_a_body_in_other_letters_than_utf_8_is_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(LOGIN, 3, "POST", "Content-Type: text/plain; charset=hex") + b"a=b")
        assert answer(connection)[0] == 415


def test_what_can_be_read_in_two_ways_ends_the_connection(server: Server) -> None:
    for doubtful in (["Content-Length: 5", "Content-Length: 50"], ["Content-Length: +5"], ["Content-Length : 5"]):
        with server.connect() as connection:
            connection.sendall(
                head(LOGIN, None, "POST", *doubtful) + b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            )
            assert answer(connection)[0] in {400, 413}
            assert connection.recv(100) == b""


def test_a_file_of_the_import_pages_size_arrives(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(head(IMPORT, 20 * MEGABYTE, "POST", "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x" * (20 * MEGABYTE))
        assert answer(connection)[0] == 403  # no CSRF token; it was read all the same


def test_requests_follow_each_other_on_one_connection(server: Server) -> None:
    one = head("/healthz", method="GET")
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(one)
            assert answer(connection) == (200, "ok")
        connection.sendall(one * 3)
        received = b""
        while received.count(b"\r\n\r\nok") < 3:
            received += connection.recv(4096)


@pytest.mark.long
def test_that_no_proxy_is_declared_is_said_where_others_can_reach_it(server: Server, tmp_path: Path) -> None:
    assert ALONE not in server.log.read_text()  # on loopback
    for proxies, said in (("0", 1), ("1", 0)):
        folder = tmp_path / proxies
        folder.mkdir()
        reachable = Server(folder, "0.0.0.0", DJANGO_BEHIND_PROXY=proxies)
        reachable.stop()
        assert reachable.log.read_text().count(ALONE) == said, proxies


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _io(pid: int) -> dict[str, str]:
    return dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
