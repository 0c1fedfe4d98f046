"""Uploaded files between their preview and "Confirm import"."""

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

    def save(self, data: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget_old()
        self.name = uuid4().hex
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError as error:
            raise UploadGoneError(self.name) from error

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def forget_old(self) -> None:
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < time.time() - KEPT_SECONDS:
                    path.unlink()
            except FileNotFoundError:  # another upload swept it just now
                continue
