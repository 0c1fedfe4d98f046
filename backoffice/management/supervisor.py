"""Starts processes in order, waits until they are ready, restarts what dies and leaves nothing behind."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from . import warden
from .console import Console, Pump

QUICK_DEATH = 10.0  # seconds; a process that lives longer starts with a clean sheet
QUICK_DEATHS_ALLOWED = 3
LONGEST_BACK_OFF = 30.0  # seconds
LEFTOVERS_STOP_WITHIN = 2.0  # seconds for the children of a process that has already gone


class Failed(Exception):
    """Everything must stop; the message tells a person why."""


class Stopped(Exception):
    """A person, or the system, asked for the end."""


def always() -> bool:
    return True


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_line: str = ""  # a piece of the output which says that it is ready
    answers: Callable[[], bool] = always  # and a question whose answer says so
    ready_within: float = 60.0  # seconds
    stop_within: float = 10.0  # seconds from SIGTERM to SIGKILL
    pass_fds: tuple[int, ...] = ()
    quiet: bool = False  # its lines are shown only when it fails


class Child:
    """A program that runs, in a session of its own: the terminal's Ctrl-C reaches the supervisor alone."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes], pump: Pump, quick_deaths: int) -> None:
        self.program, self.process, self.pump = program, process, pump
        self.started = time.monotonic()
        self.quick_deaths = quick_deaths
        self.deadline = 0.0  # of its stop
        self.killed = False
        self._ready = False

    @property
    def ready(self) -> bool:
        self._ready = self._ready or (self.pump.ready.is_set() and self.program.answers())
        return self._ready

    @property
    def end(self) -> str:
        code = self.process.returncode
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class Supervisor:
    """Use as a context: leaving it, for whatever reason, stops every stage in the reverse order of its start."""

    def __init__(self, console: Console, environment: Mapping[str, str], directory: Path) -> None:
        self._console, self._environment, self._directory = console, environment, directory
        self._stages: list[list[Child]] = []
        self._restarts: list[tuple[float, list[Child], Child]] = []
        self._asked = 0  # how often the end was asked for: the second time hurries

    def __enter__(self) -> Self:
        self._warden = warden.Warden()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._wakeup_before = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._handlers_before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` means it
            self._handlers_before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._ask)
        # The death of a child has to interrupt _pause; nothing else is to be done about it.
        self._handlers_before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if isinstance(error, Failed):
            self._console.say(f"{error} Stopping everything.")
        elif isinstance(error, Stopped):
            self._console.say("Stopping. (Ctrl-C again stops at once.)")
        try:
            self._stop()
        finally:
            self._warden.close()
            signal.set_wakeup_fd(self._wakeup_before)
            for signum, handler in self._handlers_before.items():
                signal.signal(signum, handler)
            os.close(self._wake_read)
            os.close(self._wake_write)

    def run(self, program: Program) -> None:
        """Run to its end. Raises Failed for another exit code than 0."""
        child = self._spawn(program)
        self._stages.append([child])
        while child.process.poll() is None:
            self._pause(1.0)
        self._bury(child)
        self._stages.pop()
        if child.process.returncode:
            raise Failed(f"{program.name} {child.end}; its lines above say why.")

    def start(self, *programs: Program) -> None:
        """Start as one stage, without waiting."""
        stage: list[Child] = []
        self._stages.append(stage)
        for program in programs:
            stage.append(self._spawn(program))

    def wait_ready(self) -> None:
        """Raises Failed when a process ends, or is not ready in its time."""
        children = [child for stage in self._stages for child in stage]
        while not all([self._is_ready(child) for child in children]):  # a list: each is asked whether it died
            self._pause(0.1)

    def watch(self) -> None:
        """Restart what dies, until Stopped or Failed is raised."""
        while True:
            for stage in self._stages:
                for child in [c for c in stage if c.process.poll() is not None]:
                    stage.remove(child)
                    self._schedule_restart(stage, child)
            now = time.monotonic()
            due = [restart for restart in self._restarts if restart[0] <= now]
            self._restarts = [restart for restart in self._restarts if restart[0] > now]
            for _, stage, child in due:
                stage.append(self._spawn(child.program, child.quick_deaths))
                self._console.say(f"{child.program.name} was started again (pid {stage[-1].process.pid}).")
            self._pause(max(0.0, min((restart[0] - now for restart in self._restarts), default=60.0)))

    def _stop(self) -> None:
        while self._stages:
            self._stop_stage(self._stages[-1])
            self._stages.pop()

    def _ask(self, signum: int, frame: FrameType | None) -> None:
        self._asked += 1

    def _pause(self, seconds: float) -> None:
        """Wait until time is up or a signal came in. Raises Stopped when it asked for the end."""
        if not self._asked:
            self._sleep(seconds)
        if self._asked:
            raise Stopped

    def _sleep(self, seconds: float) -> None:
        select.select([self._wake_read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _spawn(self, program: Program, quick_deaths: int = 0) -> Child:
        try:
            process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**self._environment, **program.environment},
                cwd=self._directory,
                pass_fds=program.pass_fds,
                start_new_session=True,
            )
        except OSError as error:
            raise Failed(f"{program.name} could not be started: {error}") from error
        self._warden.add(process.pid, program.stop_within)
        if process.stdout is None:  # never: asked for above
            raise Failed(f"{program.name} has no output")
        pump = Pump(process.stdout, lambda text: self._show(program, text), program.ready_line)
        return Child(program, process, pump, quick_deaths)

    def _show(self, program: Program, text: str) -> None:
        if not program.quiet:
            self._console.line(program.name, text)

    def _bury(self, child: Child) -> None:
        """A process has ended: so must what it leaves behind, and its last words are shown."""
        warden.send(child.process.pid, signal.SIGKILL)
        self._warden.remove(child.process.pid)
        child.pump.finish()
        if child.program.quiet and child.process.returncode:
            for text in child.pump.last:
                self._console.line(child.program.name, text)

    def _is_ready(self, child: Child) -> bool:
        name = child.program.name
        if child.process.poll() is not None:
            self._bury(child)
            raise Failed(f"{name} {child.end} before it was ready; its lines above say why.")
        if child.ready:
            return True
        if time.monotonic() - child.started > child.program.ready_within:
            raise Failed(f"{name} was not ready after {child.program.ready_within:.0f} seconds.")
        return False

    def _schedule_restart(self, stage: list[Child], child: Child) -> None:
        self._bury(child)
        name = child.program.name
        lived = time.monotonic() - child.started
        child.quick_deaths = child.quick_deaths + 1 if lived < QUICK_DEATH else 0
        if child.quick_deaths >= QUICK_DEATHS_ALLOWED:
            raise Failed(f"{name} {child.end}, {child.quick_deaths} times in a row within {QUICK_DEATH:.0f} seconds.")
        delay = min(LONGEST_BACK_OFF, 2.0**child.quick_deaths)
        self._console.say(f"{name} (pid {child.process.pid}) {child.end}; starting it again in {delay:.0f} s.")
        self._restarts.append((time.monotonic() + delay, stage, child))

    def _stop_stage(self, stage: list[Child]) -> None:
        for child in stage:
            child.deadline = time.monotonic() + child.program.stop_within
            if child.process.poll() is None:
                child.process.terminate()  # its leader alone: how its own children end is its affair
        while running := [child for child in stage if warden.members(child.process.pid)]:
            if all([self._overdue(child) for child in running]):
                break
            self._sleep(0.05)
        for child in stage:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(timeout=1)
            self._warden.remove(child.process.pid)
            child.pump.finish()

    def _overdue(self, child: Child) -> bool:
        """Kill what has had its time; true when not even that ended it."""
        now = time.monotonic()
        if child.killed:
            return now > child.deadline
        if child.process.poll() is not None:  # gone, its own children not yet
            child.deadline = min(child.deadline, now + LEFTOVERS_STOP_WITHIN)
        if now > child.deadline or self._asked > 1:
            self._console.say(f"{child.program.name} has not stopped and is killed.")
            warden.send(child.process.pid, signal.SIGKILL)
            child.killed, child.deadline = True, now + LEFTOVERS_STOP_WITHIN
        return False
