"""The checks of `make test`, on servers of their own:  python -m tests.run [--fast | --all | --lint] [-- for pytest]"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
    options, given = arguments()
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
                kind = replace(kind, share_of_cases="1", share_on_postgresql="1") if given else kind
                accepted = {0, NO_TESTS_COLLECTED} if given else {0}
                sessions = Sessions(stack, directory, kind, accepted)
                tests = [sessions.step(each) for each in sessions_of(kind, given)]
                slow = [sessions.step(each) for each in slow_sessions(given)] if options.all else []
                steps += [*tests, *slow]
                run_together(tests, directory)
                for step in slow:
                    run(step)
    except KeyboardInterrupt:
        print("\nInterrupted; the servers are stopped.", flush=True)
    report(steps)
    return int(not steps or any(step.failed for step in steps))


def arguments() -> tuple[argparse.Namespace, tuple[str, ...]]:
    given = sys.argv[1:]
    ours, pytest_arguments = (
        (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    )
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--fast", action="store_true", help="SQLite only; no browser, and no waiting for processes")
    group.add_argument("--all", action="store_true", help="run the tests marked slow as well")
    group.add_argument("--lint", action="store_true", help="run the checks that need no server, and no tests")
    return parser.parse_args(ours), tuple(pytest_arguments)


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
    share_of_cases: str = "1"  # of each test
    share_on_postgresql: str = "1"  # of both


KINDS = {
    "fast": Kind("not slow and not long and not browser and not processes", "", "0.1", "0.34"),
    "usual": Kind(
        "not slow and not long", "not slow and not long and not once and not spared and not browser",
        share_of_examples="0.25", share_of_cases="0.34", share_on_postgresql="0.15",
    ),
    "all": Kind("not slow", "not slow and not once", share_on_postgresql="0.34"),
}  # fmt: skip
SLOW = Kind("slow", "slow and not once")
COMPUTE, WAIT = "not processes and not browser", "(processes or browser)"
# Half of what waits, for installations of their own, for clocks and for pages.
APART = (
    *("tests/management", "tests/deploy", "tests/front", "tests/schedules"),
    *("tests/browser", "tests/desk", "tests/runs/pages"),
)
PAGES = ("tests/desk",)  # half of what is left when nobody waits
FAULTS = ("tests/faults", "tests/results")


@dataclass(frozen=True)
class Session:
    """One pytest."""

    name: str
    expression: str
    arguments: tuple[str, ...] = ()
    on_postgresql: bool = False


def sessions_of(kind: Kind, pytest_arguments: tuple[str, ...]) -> list[Session]:
    """Side by side; those that wait beside those that compute: two cores have time for both."""
    if pytest_arguments:
        on_both = both("tests", kind.on_sqlite, kind.on_postgresql, pytest_arguments)
        return on_both if kind.on_postgresql else on_both[:1]
    if not kind.on_postgresql:
        desk = Session("tests of the desk", kind.on_sqlite, PAGES)
        return [Session("tests on SQLite", kind.on_sqlite, without(PAGES)), desk]
    return [
        *both("tests", f"{kind.on_sqlite} and {COMPUTE}", f"{kind.on_postgresql} and {COMPUTE}"),
        Session("processes on SQLite", f"{kind.on_sqlite} and {WAIT}", without(APART)),
        Session("processes on PostgreSQL", f"{kind.on_postgresql} and {WAIT}", on_postgresql=True),
        Session("installations, beats, pages", f"{kind.on_sqlite} and {WAIT}", APART),
    ]


def slow_sessions(pytest_arguments: tuple[str, ...]) -> list[Session]:
    """They kill, freeze and wait for real time: one database after the other, undisturbed.

    On PostgreSQL the faults of runs and the storm; beat's, and what takes minutes without a database, once.
    """
    return [
        Session("slow tests on SQLite", SLOW.on_sqlite, pytest_arguments),
        Session("slow tests on PostgreSQL", SLOW.on_postgresql, pytest_arguments or FAULTS, on_postgresql=True),
    ]


def both(name: str, on_sqlite: str, on_postgresql: str, arguments: tuple[str, ...] = ()) -> list[Session]:
    return [
        Session(f"{name} on SQLite", on_sqlite, arguments),
        Session(f"{name} on PostgreSQL", on_postgresql, arguments, on_postgresql=True),
    ]


def without(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"--ignore={each}" for each in folders)


@dataclass
class Sessions:
    """Each is a step with a folder and servers of its own."""

    stack: contextlib.ExitStack
    directory: Path
    kind: Kind
    accepted: set[int]

    def step(self, session: Session) -> Step:
        folder = make(self.directory / session.name.replace(" ", "-"))
        redis = self.stack.enter_context(servers.redis_server(make(folder / "redis-server")))
        environment = {
            # Said aloud: importing the project has set the variable to its own settings.
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "BACKOFFICE_TEST_DIR": str(folder),
            "BACKOFFICE_VAR": str(folder / "var"),
            "REDIS_URL": redis,
            "TEST_SHARE_OF_EXAMPLES": self.kind.share_of_examples,
            "TEST_SHARE_OF_CASES": self.kind.share_of_cases,
        }
        command = [sys.executable, "-m", "pytest", "-m", session.expression, *session.arguments]
        step = Step(session.name, command, environment, accepted=self.accepted)
        if session.on_postgresql:
            share = self.kind.share_on_postgresql
            environment |= {"TEST_SHARE_OF_EXAMPLES": share, "TEST_SHARE_OF_CASES": share}
            self.take_postgresql(step, folder)
        return step

    def take_postgresql(self, step: Step, folder: Path) -> None:
        try:
            server = servers.postgresql_server(make(folder / "postgresql-server"))
            step.environment["DATABASE_URL"] = self.stack.enter_context(server)
        except servers.NoServer as error:
            step.result = f"SKIPPED: {error}"
            step.failed = IN_CI


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
