"""Private servers, and for each measurement a fresh copy of a database full of records."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import redis

from tests import servers

from .environment import ROOT

WARM_UP = 300  # records beside those that are measured: for warming up and for single clicks


class Stage:
    def __init__(self, directory: Path, redis_url: str, postgresql_url: str | None) -> None:
        self.directory, self.redis_url, self.postgresql_url = directory, redis_url, postgresql_url
        self.redis = redis.Redis.from_url(redis_url)
        self._templates: dict[tuple[str, int], str] = {}

    def databases(self) -> list[str]:
        return ["sqlite", "postgresql"] if self.postgresql_url else ["sqlite"]

    def environment(self, database_url: str, settings: str, **extra: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.partition("_")[0] not in ("DJANGO", "CELERY")}
        return kept | {
            "DATABASE_URL": database_url, "REDIS_URL": self.redis_url, "DJANGO_SETTINGS_MODULE": settings,
            "BACKOFFICE_VAR": str(self.directory / "var"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore", "BENCH_SLEEP": "2", **extra,
        }  # fmt: skip

    @contextlib.contextmanager
    def database(self, vendor: str, records: int) -> Iterator[str]:
        """The URL of a fresh database of this many records and WARM_UP more."""
        template = self._templates.get((vendor, records)) or self._make_template(vendor, records)
        name = f"b{uuid4().hex[:10]}"
        if vendor == "sqlite":
            path = self.directory / f"{name}.sqlite3"
            shutil.copyfile(template, path)
            try:
                yield f"sqlite:///{path}"
            finally:
                for each in self.directory.glob(f"{name}.sqlite3*"):
                    each.unlink()
        else:
            self._postgresql(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                yield self._postgresql_database(name)
            finally:
                self._postgresql(f"DROP DATABASE {name} WITH (FORCE)")

    def _make_template(self, vendor: str, records: int) -> str:
        name = f"template{records}"
        if vendor == "sqlite":
            template = str(self.directory / f"{name}.sqlite3")
            url = f"sqlite:///{template}"
        else:
            template, url = name, self._postgresql_database(name)
            self._postgresql(f"CREATE DATABASE {name}")
        fill = [sys.executable, "-m", "bench.fill", str(records + WARM_UP)]
        subprocess.run(fill, cwd=ROOT, env=self.environment(url, "bench.peers.template"), check=True)
        if vendor == "sqlite":
            with contextlib.closing(sqlite3.connect(template)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")  # the mode stays with the file; it is a peer's choice
        self._templates[vendor, records] = template
        return template

    def _postgresql_database(self, name: str) -> str:
        assert self.postgresql_url
        return self.postgresql_url.rpartition("/")[0] + f"/{name}"

    def _postgresql(self, statement: str) -> None:
        assert self.postgresql_url
        with psycopg.connect(self.postgresql_url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextlib.contextmanager
def stage(vendors: list[str]) -> Iterator[Stage]:
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(servers.temporary_directory())
        redis_url = stack.enter_context(servers.redis_server(directory / "redis"))
        postgresql_url = None
        if "postgresql" in vendors:
            (directory / "pg").mkdir()
            postgresql_url = stack.enter_context(servers.postgresql_server(directory / "pg"))
        yield Stage(directory, redis_url, postgresql_url)


def connect(url: str) -> Any:
    """A connection of our own beside Django's, to see what is committed."""
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20, isolation_level=None)
    return psycopg.connect(url, autocommit=True)
