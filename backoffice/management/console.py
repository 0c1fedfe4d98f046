"""The lines of many processes on one terminal, none of which ever waits for whoever reads it."""

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from backoffice.lines import escaped

COLOURS = (36, 32, 33, 35, 34, 96, 92)  # ANSI foregrounds that can be read on dark and light


class Console:
    """Prefixes each line with its process's name; colours on a terminal unless NO_COLOR is set."""

    def __init__(self, names: tuple[str, ...], descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._width = max(map(len, names))
        coloured = os.isatty(descriptor) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)} if coloured else {}
        # Bounded: a reader that stopped reading (a paused terminal, a full pipe) must block neither the processes
        # behind us nor our own Ctrl-C. Lines that find no room are counted, not kept.
        self._queue: queue.Queue[str | None] = queue.Queue(maxsize=5_000)
        self._dropped = 0
        sys.stdout.flush()  # from here on the descriptor is written to directly
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if colour := self._colour.get(name):
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self.say(f"{prefix} {escaped(text)}")

    def say(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self, seconds: float = 2.0) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._writer.join(seconds)

    def _write(self) -> None:
        while (text := self._queue.get()) is not None:
            if self._dropped:
                text, self._dropped = f"({self._dropped} lines were dropped: nobody read them)\n{text}", 0
            left = f"{text}\n".encode(errors="replace")
            try:
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                self._dropped += 1
            except OSError:
                return  # nobody is left to be told anything; the processes go on


class Pump:
    """Carries one process's output to the console, line by line, and keeps the last few."""

    def __init__(self, pipe: IO[bytes], show: Callable[[str], None], ready_line: str = "") -> None:
        self.last: deque[str] = deque(maxlen=30)
        self.ready = threading.Event()
        self._pipe, self._show, self._ready_line = pipe, show, ready_line
        if not ready_line:
            self.ready.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, seconds: float = 1.0) -> None:
        """Wait for what the process said last; a grandchild may hold the pipe open, hence the bound."""
        self._thread.join(seconds)

    def _run(self) -> None:
        with self._pipe:
            for raw in self._pipe:
                text = raw.decode(errors="replace").rstrip()
                self.last.append(text)
                self._show(text)
                if self._ready_line in text:
                    self.ready.set()
