"""What the figures were measured on: kinds and versions, no names and no paths."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

import psycopg

from .stage import Stage

PACKAGES = (
    "Django", "celery", "kombu", "redis", "psycopg", "django-celery-results", "django-q2", "huey", "dramatiq",
    "django-dramatiq", "rq", "django-rq", "procrastinate",
)  # fmt: skip


def describe(at: Stage) -> dict[str, str]:
    found = {
        "processor": f"{_cores()} cores of {_model()}",
        "memory": f"{_memory():.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Redis": str(at.redis.info("server").get("redis_version")),
    }
    if at.postgresql_url:
        with psycopg.connect(at.postgresql_url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        found["PostgreSQL"] = f"{row[0].split()[0] if row else '?'} (fsync off)"
    return found | {name: version(name) for name in PACKAGES}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _model() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
