"""A team's app, named in settings.APPS, is under the same checks as the shipped one."""

import os
import subprocess

import pytest

from tests.apps import BIN, ROOT, contracts, mypy

pytestmark = pytest.mark.once


@pytest.fixture
def app(tmp_path_factory):
    path = tmp_path_factory.mktemp("site")  # tmp_path begins with test_, where mypy does not look
    (path / "shipments").mkdir()
    (path / "shipments" / "__init__.py").write_text("")
    (path / "shipments" / "models.py").write_text("import celery\n")
    (path / "shipments" / "tariffs.py").write_text("def price(weight):\n    return weight * 2\n")
    return path


def said(command, path):
    environment = {**os.environ, "PYTHONPATH": str(path), "MYPYPATH": str(path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stdout + done.stderr


def test_its_imports_are_under_the_contracts(app):
    config = app / "contracts.toml"
    config.write_text(contracts(["records"]))
    assert said([str(BIN / "lint-imports"), "--config", str(config), "--no-cache"], app)[0] == 0
    command = [
        str(BIN / "python"), "-c",
        f"from tests.apps import contracts; open({str(config)!r}, 'w').write(contracts(['records', 'shipments']))",
    ]  # fmt: skip
    assert said(command, app) == (0, "")
    code, text = said([str(BIN / "lint-imports"), "--config", str(config), "--no-cache"], app)
    assert code == 1
    assert "Models know no Celery BROKEN" in text
    assert "shipments.models -> celery" in text


def test_its_types_are_checked(app):
    code, text = said([*mypy(["shipments"]), "--cache-dir", str(app / "cache")], app)
    assert code == 1
    assert "tariffs.py:1: error: Function is missing a type annotation" in text
