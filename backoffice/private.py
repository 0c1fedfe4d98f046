"""Folders and files that the machine's other users may not read."""

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

FOLDER, FILE = 0o700, 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def folder(path: Path) -> Path:
    """Made, or closed if it was open; not one that all users share, as /tmp is."""
    path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    if not path.stat().st_mode & stat.S_ISVTX:
        _close(path)
    return path


def _close(path: Path) -> None:
    found = path.stat()
    if found.st_mode & OTHERS:
        # Another's folder or file, or a disk without modes: theirs to say who reads it.
        with contextlib.suppress(OSError):
            path.chmod(stat.S_IMODE(found.st_mode) & ~OTHERS)


class PrivateFile(sqlite3.Connection):
    """A database that its owner alone reads. SQLite gives the files beside it, -wal and -shm, the same mode."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        if not str(database).startswith(("file:", ":memory:")):
            with contextlib.suppress(OSError):  # a folder that is not there SQLite names itself
                # Made here or not opened at all: closing a second descriptor would drop this process's locks on it.
                os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
            for name in (f"{database}-wal", f"{database}-shm", database):
                with contextlib.suppress(FileNotFoundError):
                    _close(Path(name))
        super().__init__(database, *args, **kwargs)
