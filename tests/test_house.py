"""Rooms stay small enough to be found in: the rules of CONTRIBUTING about folders and files."""

from collections import Counter
from pathlib import Path

from backoffice.settings import APPS

ROOT = Path(__file__).resolve().parent.parent
ROOMS = [path for top in ("backoffice", *APPS) for path in (ROOT / top).rglob("*.py") if "migrations" not in path.parts]


def test_no_folder_has_more_than_sixteen_files():
    files = Counter(path.parent.relative_to(ROOT) for path in ROOMS)
    assert not {str(folder): number for folder, number in files.items() if number > 16}


def test_no_file_has_more_than_three_hundred_lines():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in ROOMS}
    assert not {name: number for name, number in lines.items() if number > 300}


def test_every_folder_says_what_it_is_for():
    folders = {path.parent for path in ROOMS} - {ROOT / "backoffice"}
    assert not [path for path in folders if not (path / "__init__.py").read_text().startswith('"""')]
