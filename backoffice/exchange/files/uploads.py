"""Uploaded files between their preview and "Import", each with the stamps of the records that were shown."""

import contextlib
import json
import os
import re
import time
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from import_export.tmp_storages import BaseStorage

KEPT_SECONDS = 24 * 60 * 60
_NAME = re.compile(r"[0-9a-f]{32}")


class UploadGoneError(LookupError):
    """No such upload: imported already, too old, or a name that was made up."""


class UploadFolder(BaseStorage):
    """A folder of our own. The library's default would read and delete any file of /tmp that a form names."""

    @property
    def folder(self) -> Path:
        return Path(settings.VAR) / "uploads"

    @property
    def path(self) -> Path:
        if not _NAME.fullmatch(self.name or ""):
            raise UploadGoneError(self.name)
        return self.folder / self.name

    @property
    def seen_path(self) -> Path:
        return self.path.with_suffix(".seen")

    def save(self, data: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget_old()
        self.name = uuid4().hex
        write_new(self.path, data)

    def keep_seen(self, stamps: dict[str, str]) -> None:
        write_new(self.seen_path, json.dumps(stamps).encode())

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError as error:
            raise UploadGoneError(self.name) from error

    def take(self) -> tuple[bytes, dict[str, str]]:
        """The file and the stamps, for one of those who confirm at the same time; both are gone afterwards."""
        try:
            stamps = json.loads(self.seen_path.read_bytes())
            self.seen_path.unlink()  # of two who read it one removes it
        except FileNotFoundError as error:
            raise UploadGoneError(self.name) from error
        data = self.read()
        self.remove()
        return data, stamps

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.seen_path.unlink(missing_ok=True)

    def forget_old(self) -> None:
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another upload swept it just now
                if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                    path.unlink()


def write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
