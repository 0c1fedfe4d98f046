"""deploy/bootstrap.sh with empty lock files: what it makes, what it makes again, and what it says when it cannot."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = "/usr/bin:/bin"  # without the Pythons of this machine's user


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "a folder with spaces"
    (project / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/bootstrap.sh", project / "deploy")
    for lock in ("requirements.lock", "requirements-test.lock"):
        (project / lock).write_text("# nothing\n")
    return project


def bootstrap(project: Path, lock: str = "requirements.lock", **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", str(project / "deploy/bootstrap.sh"), lock],
        env={"PATH": TOOLS, "HOME": str(project), "PIP_NO_INDEX": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def python(folder: Path, name: str, script: str) -> Path:
    """A Python that is ours except for what `script` answers first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\ncase "$*" in {script} esac\nexec {shlex.quote(sys.executable)} "$@"\n')
    path.chmod(0o755)
    return path


def test_it_makes_an_environment_once_and_again_when_the_lock_changed(project: Path) -> None:
    first = bootstrap(project, PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    assert "making .venv with Python 3." in first.stdout
    assert (project / ".venv/bin/python").exists()
    assert bootstrap(project, PYTHON=sys.executable).stdout == ""
    (project / "requirements.lock").write_text("# nothing, newly\n")
    changed = bootstrap(project, PYTHON=sys.executable).stdout
    assert "installing requirements.lock" in changed
    assert "making" not in changed


@pytest.mark.long
def test_it_starts_afresh_after_an_interruption_and_after_a_move(project: Path) -> None:
    bootstrap(project, PYTHON=sys.executable)
    (project / ".venv/.unfinished").touch()
    assert "making .venv" in bootstrap(project, PYTHON=sys.executable).stdout
    moved = project.rename(project.with_name("moved"))
    assert "making .venv" in bootstrap(moved, PYTHON=sys.executable).stdout


@pytest.mark.long
def test_the_test_lock_serves_for_both(project: Path) -> None:
    bootstrap(project, PYTHON=sys.executable)
    assert (
        "installing requirements-test.lock"
        in bootstrap(project, "requirements-test.lock", PYTHON=sys.executable).stdout
    )
    assert bootstrap(project, PYTHON=sys.executable).stdout == ""


@pytest.mark.long
def test_it_finds_a_python_that_only_pyenv_has(project: Path) -> None:
    python(project / ".pyenv/versions/3.13.1/bin", "python", "")
    made = bootstrap(project, PATH=str(_without_python(project)))
    assert made.returncode == 0, made.stderr
    assert "/.pyenv/versions/3.13.1/bin/python)" in made.stdout


def test_without_a_suitable_python_a_sentence_says_what_to_install(project: Path) -> None:
    old = python(project / "old", "python3", "*version_info*) exit 1 ;;")
    refused = bootstrap(project, PATH=f"{old.parent}:{_without_python(project)}")
    assert refused.returncode == 1
    assert "no Python 3.12, 3.13 or 3.14 was found" in refused.stderr
    assert "apt-get install" in refused.stderr
    assert not (project / ".venv").exists()


def test_a_python_that_can_make_no_environment_is_told_its_debian_package(project: Path) -> None:
    bare = python(project / "bare", "python3.12", "*ensurepip*|*virtualenv*|*'import venv'*) exit 1 ;;")
    refused = bootstrap(project, PATH=f"{bare.parent}:{_without_python(project)}")
    assert refused.returncode == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"apt-get install python{version}-venv" in refused.stderr


@pytest.mark.long
def test_a_lock_that_pip_refuses_is_not_taken_for_installed(project: Path) -> None:
    (project / "requirements.lock").write_text("six==1.17.0\n")  # without its hash
    refused = bootstrap(project, PYTHON=sys.executable)
    assert refused.returncode == 1
    assert "pip could not install requirements.lock" in refused.stderr
    assert not (project / ".venv/.complete").exists()


def _without_python(project: Path) -> Path:
    """The tools of /usr/bin that the script calls, and none of its Pythons."""
    folder = project / "tools"
    folder.mkdir()
    for tool in ("sh", "dirname", "rm", "mkdir", "mktemp", "cat", "cksum", "sed", "flock"):
        if found := shutil.which(tool, path=TOOLS):
            (folder / tool).symlink_to(found)
    return folder
