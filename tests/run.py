"""The checks of `make test`, on servers of their own:  python -m tests.run [--fast | --all | --lint] [-- for pytest]"""

import argparse
import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
IN_CI = bool(os.environ.get("CI"))
NO_TESTS_COLLECTED = 5  # pytest's exit code
PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_HTTPS": "1",
    "DJANGO_SECRET_KEY": "only-to-see-what-check-deploy-says-of-the-rest-4q8wz1",
    "DJANGO_ALLOWED_HOSTS": "backoffice.example",
}


@dataclass
class Step:
    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    result: str = "not run"
    seconds: float = 0.0
    failed: bool = True
    accepted: set[int] = field(default_factory=lambda: {0})  # exit codes


def main() -> int:
    options, pytest_arguments = arguments()
    # Explicitly: in the background of a script SIGINT is ignored, and what we start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    steps: list[Step] = []
    try:
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(servers.temporary_directory())
            os.environ["BACKOFFICE_VAR"] = str(directory / "var")
            for name in ("DATABASE_URL", "REDIS_URL", *PRODUCTION):  # a person's own are not to be tested on
                os.environ.pop(name, None)
            steps += [] if options.fast else static_steps()
            for step in steps:
                run(step)
            if not options.lint:
                kind = KINDS["fast" if options.fast else "all" if options.all else "usual"]
                tests = test_steps(stack, directory, pytest_arguments, kind)
                # The slow ones kill, freeze and wait for real time: one database after the other, undisturbed.
                slow = [only_slow(step, pytest_arguments) for step in tests] if options.all else []
                steps += [*tests, *slow]
                run_together(tests, directory)
                for step in slow:
                    run(step)
    except KeyboardInterrupt:
        print("\nInterrupted; the servers are stopped.", flush=True)
    report(steps)
    return int(not steps or any(step.failed for step in steps))


def arguments() -> tuple[argparse.Namespace, list[str]]:
    given = sys.argv[1:]
    ours, pytest_arguments = (
        (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    )
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--fast", action="store_true", help="SQLite only; no browser, and no waiting for processes")
    group.add_argument("--all", action="store_true", help="run the tests marked slow as well")
    group.add_argument("--lint", action="store_true", help="run the checks that need no server, and no tests")
    return parser.parse_args(ours), pytest_arguments


def static_steps() -> list[Step]:
    manage = [sys.executable, "manage.py"]
    return [
        Step("ruff check", [str(BIN / "ruff"), "check", "."]),
        Step("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
        Step("mypy", [sys.executable, "-m", "tests.apps", "mypy"]),
        Step("import-linter", [sys.executable, "-m", "tests.apps", "imports"]),
        Step("migrations complete", [*manage, "makemigrations", "--check", "--dry-run"]),
        Step("check --deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    ]


@dataclass(frozen=True)
class Kind:
    """Which tests run where; pyproject.toml tells what the markers mean, CONTRIBUTING.md what the kinds take."""

    on_sqlite: str
    on_postgresql: str = ""
    share_of_examples: str = "1"  # of each property of hypothesis


KINDS = {
    "fast": Kind("not slow and not long and not browser and not processes", share_of_examples="0.1"),
    "usual": Kind("not slow and not long", "not slow and not long and not once and not browser", "0.25"),
    "all": Kind("not slow", "not slow and not once"),
}
# They wait most of the time, for installations of their own, for clocks and for pages: beside the others.
WAITING = ("tests/management", "tests/deploy", "tests/front", "tests/schedules", "tests/browser")
PAGES = ("tests/desk",)  # half of what is left when nobody waits


def test_steps(stack: contextlib.ExitStack, directory: Path, pytest_arguments: list[str], kind: Kind) -> list[Step]:
    """One on SQLite and one on PostgreSQL; for everything there are two cores, and two on SQLite."""
    apart = () if pytest_arguments else WAITING if kind.on_postgresql else PAGES
    others = [f"--ignore={each}" for each in apart]
    sqlite = session(stack, directory, "sqlite", kind)
    steps = [Step("tests on SQLite", pytest(kind.on_sqlite, *pytest_arguments, *others), sqlite)]
    if kind.on_postgresql:
        steps.append(postgresql_step(stack, directory, pytest_arguments, kind))
    if apart:
        name = "tests of installations, schedules, browsers" if kind.on_postgresql else "tests of the desk"
        steps.append(Step(name, pytest(kind.on_sqlite, *apart), session(stack, directory, "apart", kind)))
    for step in steps if pytest_arguments else []:
        step.accepted = {0, NO_TESTS_COLLECTED}
    return steps


def postgresql_step(stack: contextlib.ExitStack, directory: Path, pytest_arguments: list[str], kind: Kind) -> Step:
    environment = session(stack, directory, "postgresql", kind)
    step = Step("tests on PostgreSQL", pytest(kind.on_postgresql, *pytest_arguments), environment)
    try:
        server = servers.postgresql_server(make(directory / "postgresql-server"))
        environment["DATABASE_URL"] = stack.enter_context(server)
    except servers.NoServer as error:
        step.result = f"SKIPPED: {error}"
        step.failed = IN_CI
    return step


def pytest(expression: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-m", expression, *arguments]


def only_slow(step: Step, pytest_arguments: list[str]) -> Step:
    """On PostgreSQL the faults of runs and the storm; beat's, and what takes minutes without a database, once."""
    expression = step.command[4]
    command = [*step.command[:4], expression.replace("not slow", "slow"), *step.command[5:]]
    if "DATABASE_URL" in step.environment and not pytest_arguments:
        command += ["tests/faults", "tests/results"]
    return dataclasses.replace(step, name=step.name.replace("tests", "slow tests"), command=command)


def session(stack: contextlib.ExitStack, directory: Path, name: str, kind: Kind) -> dict[str, str]:
    """A folder and a Redis of its own: the two runs go on at the same time."""
    folder = make(directory / name)
    redis = stack.enter_context(servers.redis_server(make(directory / f"{name}-redis")))
    return {
        # Said aloud: importing the project has set the variable to its own settings.
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "BACKOFFICE_TEST_DIR": str(folder),
        "BACKOFFICE_VAR": str(folder / "var"),  # closed to others, and PostgreSQL runs as another user
        "REDIS_URL": redis,
        "TEST_SHARE_OF_EXAMPLES": kind.share_of_examples,
    }


def make(directory: Path) -> Path:
    directory.mkdir()
    return directory


def run(step: Step) -> None:
    if step.result != "not run":
        return
    print(f"\n=== {step.name}", flush=True)
    since = time.monotonic()
    with started(step) as process:
        finish(step, process, since)


def run_together(steps: list[Step], directory: Path) -> None:
    """The first prints as it goes; what the others print comes when they are done. Two cores, half the time."""
    first, *others = [step for step in steps if step.result == "not run"]
    with contextlib.ExitStack() as stack:
        logs = [directory / f"{number}.log" for number, _step in enumerate(others)]
        going = [
            (step, log, stack.enter_context(started(step, stack.enter_context(log.open("wb")))), time.monotonic())
            for step, log in zip(others, logs, strict=True)
        ]
        run(first)
        for step, log, process, since in going:
            finish(step, process, since)
            print(f"\n=== {step.name}\n{log.read_text(errors='replace')}", flush=True)


def started(step: Step, output: BinaryIO | None = None) -> contextlib.AbstractContextManager["subprocess.Popen[bytes]"]:
    # A group of its own: a Ctrl-C reaches it once, through us. A second one would cut pytest's cleaning up short.
    environment = {**os.environ, **step.environment}
    step.result = "interrupted"
    return ended(
        subprocess.Popen(
            step.command, cwd=ROOT, env=environment, stdout=output, stderr=output and subprocess.STDOUT, process_group=0
        )
    )


def finish(step: Step, process: "subprocess.Popen[bytes]", since: float) -> None:
    code = process.wait()
    step.seconds = time.monotonic() - since
    step.failed = code not in step.accepted
    step.result = "ok" if not step.failed else f"FAILED (exit code {code})"


@contextlib.contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """On the way out by an exception the process gets time to stop its own servers and workers."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def interrupted(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def report(steps: list[Step]) -> None:
    width = min(100, shutil.get_terminal_size().columns)
    print("\n" + "=" * width)
    for step in steps:
        print(f"{step.name:<26} {step.seconds:7.1f} s  {step.result}")
    print("=" * width, flush=True)
    if any(step.result.startswith("SKIPPED") for step in steps):
        print("Part of the tests did not run on this machine: see SKIPPED above.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
