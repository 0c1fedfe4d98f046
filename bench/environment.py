"""The peers' own virtual environment, so that they never become dependencies of the project."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
LOCK = ROOT / "bench" / "requirements.lock"


def enter() -> None:
    """Go on in .venv-bench, made or renewed from the lock file first; it holds the project's own dependencies, too."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    python = VENV / "bin" / "python"
    stamp = VENV / ".complete"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print("bench: installing bench/requirements.lock into .venv-bench", flush=True)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*install, "-r", str(LOCK)], check=True)
        stamp.write_text(wanted)
    os.execv(python, [str(python), "-m", "bench", *sys.argv[1:]])
