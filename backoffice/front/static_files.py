"""Style sheets, scripts and fonts: compressed, and under names that change with what is in them."""

from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

STAMP = "collected"  # of what was collected last


class HashedFiles(CompressedManifestStaticFilesStorage):
    """A browser keeps each file for ever, and asks for another one after a change; where nothing was collected, as in a
    shell or a test, files have their own names."""

    def stored_name(self, name: str) -> str:
        is_collected = self.hash_key(self.clean_name(name)) in self.hashed_files
        return str(super().stored_name(name)) if is_collected else name


def stamp() -> str:
    """Of all files there are, by name, size and time."""
    found = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            there = Path(storage.path(path)).stat()
            found.append(f"{path} {there.st_size} {there.st_mtime_ns}")
    return sha256("\n".join(found).encode()).hexdigest()


def is_collected() -> bool:
    path = Path(settings.STATIC_ROOT) / STAMP
    return path.is_file() and path.read_text() == stamp()


def note_collected() -> None:
    (Path(settings.STATIC_ROOT) / STAMP).write_text(stamp())
