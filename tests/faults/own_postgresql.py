"""A PostgreSQL of a test's own, to be stopped and started: the session's is everybody's."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.servers import NoServer, postgresql_server, temporary_directory, wait_until


class Server:
    """The one postgresql_server() started, stopped and started as an operator would."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory, self.url = directory, url
        self.pid = int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])
        self.command = Path(f"/proc/{self.pid}/cmdline").read_text().rstrip("\0").split("\0")
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        self.user = int(next(line.split()[1] for line in status if line.startswith("Uid:")))
        self.again: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGINT)
        wait_until(lambda: not (self.directory / "data" / "postmaster.pid").exists(), what="PostgreSQL stopped")
        if self.again:
            self.again.wait(10)

    def start(self) -> None:
        with (self.directory / "again.log").open("wb") as log:
            self.again = subprocess.Popen(
                self.command, user=self.user if os.geteuid() == 0 else None, stdout=log, stderr=log,
                cwd=self.directory, start_new_session=True,
            )  # fmt: skip
        self.pid = self.again.pid


@contextmanager
def own_postgresql(is_sqlite: bool) -> Iterator[Server]:
    if is_sqlite:
        pytest.skip("for PostgreSQL")
    with temporary_directory() as directory:
        try:
            with postgresql_server(directory) as url:
                server = Server(directory, url)
                try:
                    yield server
                finally:
                    if server.again:
                        server.again.send_signal(signal.SIGINT)  # SIGTERM waits for every client to leave
                        server.again.wait(20)
        except NoServer as error:
            pytest.skip(str(error))


def ask(url: str, sql: str) -> int:
    """One number; 0 while the server is away."""
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return int(cursor.fetchone()[0]) if cursor.description else cursor.rowcount  # type: ignore[index]
    return 0
