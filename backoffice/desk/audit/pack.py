"""A ZIP written while it is being sent, with the SHA-256 of each file in it, and what every manifest says.

Nothing of it is ever held whole: parts leave as soon as they are compressed. The standard library's zipfile writes to a
stream that cannot be rewound, with the sizes behind each file.
"""

import codecs
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from platform import python_version
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from backoffice import __version__
from backoffice.results.activity import name_of
from backoffice.results.values.spreadsheet import disarm

from ..parts.documents import load, written

Files = Mapping[str, Callable[[], Iterable[bytes]]]

SUMS = "sha256sums.txt"
HOW_TO_CHECK = {SUMS: f"check with: sha256sum -c {SUMS}"}
PACKAGES = ("django", "celery", "redis", "django-celery-beat", "django-celery-results")
RESULT_FIELDS = (
    *("task_id", "task_name", "periodic_task_name", "task_args", "task_kwargs", "status", "worker"),
    *("result", "traceback", "meta", "date_created", "date_started", "date_done"),
)
JSON_FIELDS = {"task_args", "task_kwargs", "result", "meta"}
ACTIVITY_FIELDS = ("at", "actor", "actor_id", "verb", "target", "details")


class Outlet(io.RawIOBase):
    """Where zipfile writes; what it wrote is taken away at once."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def zipped(files: Files) -> Iterator[bytes]:
    """The bytes of a ZIP of these files, and of their checksums behind them."""
    outlet, sums = Outlet(), dict[str, str]()
    last: Files = {SUMS: lambda: ["".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()]}
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in (*files.items(), *last.items()):
            digest = hashlib.sha256()
            info = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as file:
                for part in content():
                    digest.update(part)
                    file.write(part)
                    yield outlet.take()
            sums[name] = digest.hexdigest()
    yield outlet.take()


def taken(by: object) -> dict[str, Any]:
    """When, by whom, and of which installation."""
    return {
        "taken_at": timezone.now(),
        "taken_by": name_of(by),
        "versions": {
            "backoffice": __version__,
            "python": python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "database": connection.vendor,
        "schema": schema(),
    }


def schema() -> dict[str, str]:
    """The latest migration of each app."""
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: name for app, name in sorted(applied)}


def csv_head(columns: Iterable[str]) -> bytes:
    return codecs.BOM_UTF8 + csv_lines([columns])  # by which Excel knows UTF-8


def csv_lines(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return "" if value is None else disarm(str(value))


def opened(row: dict[str, Any]) -> dict[str, Any]:
    """A task result; JSON that is stored as text stands in the file as JSON."""
    return {name: load(value) if name in JSON_FIELDS else value for name, value in row.items()}


def as_json(value: Any, indent: int | None = None) -> bytes:
    return written(value, indent).encode()


def json_line(value: Any) -> bytes:
    return as_json(value) + b"\n"
