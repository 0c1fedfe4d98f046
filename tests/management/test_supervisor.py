"""The supervisor with programs of a line or two; test_up.py starts the real ones."""

# ruff: noqa: PT012 - the supervisor's end comes out of its block, wherever in it the cause was

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backoffice.management import supervisor as supervision
from backoffice.management import warden
from backoffice.management.console import Console
from backoffice.management.supervisor import Failed, Program, Stopped, Supervisor
from tests.servers import wait_until

pytestmark = [pytest.mark.once, pytest.mark.processes]

FOREVER = "while :; do sleep 0.1; done"


class Screen:
    """What a person would see."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self.console = Console(("one", "two", "three"), self._file.fileno())

    def text(self) -> str:
        return self._path.read_text()

    def shows(self, text: str) -> bool:
        return text in self.text()

    def close(self) -> None:
        self.console.close()
        self._file.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path / "screen")
    yield screen
    screen.close()


@pytest.fixture
def supervisor(screen: Screen, tmp_path: Path) -> Supervisor:
    return Supervisor(screen.console, dict(os.environ), tmp_path)


def shell(name: str, script: str, **options: object) -> Program:
    return Program(name, ("/bin/sh", "-c", script), **options)  # type: ignore[arg-type]


def interrupt(seconds: float = 0.0, times: int = 1, signum: int = signal.SIGINT) -> None:
    def send() -> None:
        for _ in range(times):
            time.sleep(seconds)
            os.kill(os.getpid(), signum)

    threading.Thread(target=send, daemon=True).start()


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), what=f"{path.name} written")
    return int(path.read_text())


def test_a_program_is_waited_for_until_it_says_that_it_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    with supervisor:
        supervisor.start(shell("one", f"sleep 0.5; touch made; echo now ready; {FOREVER}", ready_line="now ready"))
        supervisor.wait_ready()
        assert (tmp_path / "made").exists()


def test_a_program_is_waited_for_until_it_answers(supervisor: Supervisor, tmp_path: Path) -> None:
    with supervisor:
        supervisor.start(shell("one", f"sleep 0.5; touch made; {FOREVER}", answers=(tmp_path / "made").exists))
        supervisor.wait_ready()


def test_a_program_that_is_not_ready_in_its_time_fails(supervisor: Supervisor) -> None:
    with pytest.raises(Failed, match="one was not ready after 0 seconds"), supervisor:
        supervisor.start(shell("one", FOREVER, ready_line="never", ready_within=0.3))
        supervisor.wait_ready()


def test_a_program_that_dies_before_it_is_ready_fails_and_has_its_last_words(
    supervisor: Supervisor, screen: Screen
) -> None:
    with pytest.raises(Failed, match="one ended with exit code 3 before it was ready"), supervisor:
        supervisor.start(shell("one", "echo no disk; exit 3", ready_line="never", quiet=True))
        supervisor.wait_ready()
    wait_until(lambda: screen.shows("one   | no disk"))


def test_a_step_that_fails_ends_everything(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="two ended with exit code 4"), supervisor:
        supervisor.start(shell("one", f"echo $$ > pid; {FOREVER}"))
        pid = pid_in(tmp_path / "pid")
        supervisor.run(shell("two", "exit 4"))
    assert warden.members(pid) == []


def test_a_program_that_is_not_there_fails_in_a_sentence(supervisor: Supervisor) -> None:
    with pytest.raises(Failed, match="one could not be started: .*no-such-program"), supervisor:
        supervisor.start(Program("one", ("/no-such-program",)))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_to_ask_for_the_end_stops_in_the_reverse_order(
    signum: int, supervisor: Supervisor, tmp_path: Path
) -> None:
    script = "trap 'echo {0} >> order; exit' TERM; echo ready; " + FOREVER
    with pytest.raises(Stopped), supervisor:
        for name in ("one", "two", "three"):
            supervisor.start(shell(name, script.format(name), ready_line="ready"))
        supervisor.wait_ready()
        interrupt(signum=signum)
        supervisor.watch()
    assert (tmp_path / "order").read_text().split() == ["three", "two", "one"]


def test_the_end_can_be_asked_for_while_something_is_waited_for(supervisor: Supervisor) -> None:
    with pytest.raises(Stopped), supervisor:
        supervisor.start(shell("one", FOREVER, ready_line="never"))
        interrupt(0.3)
        supervisor.wait_ready()


def test_the_end_can_be_asked_for_during_a_step(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Stopped), supervisor:
        interrupt(0.3)
        supervisor.run(shell("one", f"echo $$ > pid; {FOREVER}"))
    assert warden.members(pid_in(tmp_path / "pid")) == []


def test_a_program_that_ignores_sigterm_is_killed_with_its_children(
    supervisor: Supervisor, screen: Screen, tmp_path: Path
) -> None:
    with pytest.raises(Stopped), supervisor:
        script = f"trap '' TERM; (trap '' TERM; {FOREVER}) & echo $$ > pid; echo ready; {FOREVER}"
        supervisor.start(shell("one", script, ready_line="ready", stop_within=0.3))
        supervisor.wait_ready()
        pid = pid_in(tmp_path / "pid")
        assert len(warden.members(pid)) >= 2
        interrupt()
        supervisor.watch()
    assert warden.members(pid) == []
    wait_until(lambda: screen.shows("one has not stopped and is killed"))


def test_a_second_ctrl_c_does_not_wait(supervisor: Supervisor) -> None:
    started = time.monotonic()
    with pytest.raises(Stopped), supervisor:
        supervisor.start(shell("one", f"trap '' TERM; echo ready; {FOREVER}", ready_line="ready", stop_within=60))
        supervisor.wait_ready()
        interrupt(0.3, times=2)
        supervisor.watch()
    assert time.monotonic() - started < 10


def test_children_that_outlive_their_parent_are_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Stopped), supervisor:
        script = f"({FOREVER}) & echo $$ > pid; echo ready; trap 'exit 0' TERM; {FOREVER}"
        supervisor.start(shell("one", script, ready_line="ready"))
        supervisor.wait_ready()
        interrupt()
        supervisor.watch()
    assert warden.members(pid_in(tmp_path / "pid")) == []


def test_what_dies_is_started_again(supervisor: Supervisor, screen: Screen, tmp_path: Path) -> None:
    with pytest.raises(Stopped), supervisor:
        supervisor.start(shell("one", f"echo $$ >> pids; echo ready; {FOREVER}", ready_line="ready"))
        supervisor.wait_ready()
        os.kill(pid_in(tmp_path / "pids"), signal.SIGKILL)

        def again() -> bool:
            return len((tmp_path / "pids").read_text().split()) == 2 and screen.shows("one was started again")

        threading.Thread(target=lambda: (wait_until(again), interrupt()), daemon=True).start()
        supervisor.watch()
    assert again()
    assert screen.shows("was killed by SIGKILL; starting it again in 2 s.")


def test_what_dies_again_and_again_ends_everything(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervision, "LONGEST_BACK_OFF", 0.1)
    with pytest.raises(Failed, match="two ended with exit code 5, 3 times in a row"), supervisor:
        supervisor.start(shell("one", f"echo $$ > pid; {FOREVER}"))
        supervisor.start(shell("two", "exit 5"))
        supervisor.watch()
    assert warden.members(pid_in(tmp_path / "pid")) == []


def test_the_terminals_signals_are_as_before_afterwards(supervisor: Supervisor) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)]
    with supervisor:
        pass
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)] == before


def test_nothing_waits_for_a_reader_that_does_not_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    console = Console(("one",), write)
    try:
        with pytest.raises(Stopped), Supervisor(console, dict(os.environ), tmp_path) as supervisor:
            supervisor.start(shell("one", f"yes | head -200000; echo $$ > done; {FOREVER}"))
            pid = pid_in(tmp_path / "done")
            interrupt()
            supervisor.watch()
        assert warden.members(pid) == []
    finally:
        os.close(read)
        console.close(0.1)
        os.close(write)


def test_output_is_prefixed_and_coloured_only_on_a_terminal(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.console.line("one", "hello")
    wait_until(lambda: screen.shows("hello"))
    assert screen.text() == "one   | hello\n"
    assert _on_terminal(monkeypatch, no_colour="") == "\x1b[36mone |\x1b[0m hello"
    assert _on_terminal(monkeypatch, no_colour="1") == "one | hello"


def _on_terminal(monkeypatch: pytest.MonkeyPatch, no_colour: str) -> str:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_colour)
    ours, theirs = os.openpty()
    console = Console(("one",), theirs)
    console.line("one", "hello")
    console.close()
    shown = os.read(ours, 1000).decode().rstrip()
    os.close(ours)
    os.close(theirs)
    return shown


def test_the_warden_ends_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from backoffice.management.console import Console\n"
        "from backoffice.management.supervisor import *\n"
        "with Supervisor(Console(('one',)), dict(os.environ), Path(sys.argv[1])) as s:\n"
        f"    script = 'echo $$ > pid; ({FOREVER}) & {FOREVER}'\n"
        "    s.start(Program('one', ('/bin/sh', '-c', script), stop_within=0.5))\n"
        "    s.watch()\n"
    )
    supervisor = supervision.subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    pid = pid_in(tmp_path / "pid")
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not warden.members(pid), what="the orphans' end")
