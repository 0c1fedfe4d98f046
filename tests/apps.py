"""mypy and import-linter over every app of settings.APPS, as pyproject.toml has it for `records`.

python -m tests.apps mypy|imports
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backoffice.settings import APPS

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SHIPPED = "records"


def mypy(apps: Iterable[str]) -> list[str]:
    packages = [argument for app in ("backoffice", *apps) for argument in ("-p", app)]
    return [str(BIN / "mypy"), *packages]


def contracts(apps: list[str]) -> str:
    """The contracts of pyproject.toml, with every app wherever they name the shipped one."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    lines = ["[tool.importlinter]"]
    rules = told.pop("contracts")
    lines += [f"{key} = {json.dumps(with_apps(key, value, apps))}" for key, value in told.items()]
    for rule in rules:
        lines.append("[[tool.importlinter.contracts]]")
        lines += [f"{key} = {json.dumps(with_apps(key, value, apps))}" for key, value in rule.items()]
    return "\n".join(lines)


def with_apps(key: str, value: Any, apps: list[str]) -> Any:
    if not isinstance(value, list):
        return value
    if key == "layers":
        return [" | ".join(apps) if layer == SHIPPED else layer for layer in value]
    return [name for each in value for name in named(each, apps)]


def named(module: str, apps: list[str]) -> list[str]:
    """`records.models` for every app that has such a module."""
    top, _dot, rest = module.partition(".")
    if top != SHIPPED:
        return [module]
    return [f"{app}.{rest}" if rest else app for app in apps if not rest or find_spec(f"{app}.{rest}")]


def main() -> int:
    if sys.argv[1] == "mypy":
        return subprocess.call(mypy(APPS), cwd=ROOT)  # noqa: S603
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(contracts(APPS))
        file.flush()
        return subprocess.call([str(BIN / "lint-imports"), "--config", file.name], cwd=ROOT)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
