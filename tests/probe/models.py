"""A record that behaves as a test asks it to."""

import os
import signal
import time
from asyncio import CancelledError
from typing import Any

from django.db import OperationalError, models

from backoffice.runs.seam import Outcome, Processable
from tests.probe.kinds import Kinds
from tests.probe.left_open import LEFT
from tests.probe.odd import Never, Odd
from tests.probe.parts import Part

__all__ = ["Kinds", "Never", "Odd", "Part", "Probe"]


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Away:
    def upper(self) -> "Away":
        return self

    def __str__(self) -> str:
        raise OperationalError("no such thing")


class Probe(Processable):
    foreign = "file \udce4.csv, \x00, " + "x" * 3_000
    text = models.CharField(max_length=50, default="")
    behaviour = models.CharField(max_length=20, default="fine")
    result = models.CharField(max_length=20, default="")
    effects = models.IntegerField(default=0)

    def process(self) -> Outcome:
        said = getattr(self, self.behaviour)()
        self.result, self.processed = self.text.upper(), True
        self.effects += 1
        return Outcome("done", self.result if said is None else said)

    def fine(self) -> None:
        pass

    def slow(self) -> None:
        time.sleep(float(os.environ.get("PROBE_SECONDS", "0.2")))

    def fail(self) -> None:
        raise ValueError(f"cannot work on {self.text!r}")

    def flaky(self) -> None:
        """Fails as a network does, until its text says otherwise."""
        if self.text != "back":
            raise ConnectionError("the partner's server is away")

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def stubborn(self) -> None:
        """Takes the soft time limit for an error of its own and goes on."""
        while True:
            try:
                time.sleep(60)
            except Exception:
                continue

    def left_open(self) -> None:
        """Leaves a transaction open, in the way its text names."""
        LEFT[self.text]()

    def cancelled(self) -> None:
        """As a coroutine that was cancelled does."""
        raise CancelledError("no longer waited for")

    def interrupted(self) -> None:
        raise KeyboardInterrupt("no longer waited for")

    def foreign_error(self) -> None:
        raise ValueError(self.foreign)

    def foreign_outcome(self) -> str:
        return self.foreign

    def without_words(self) -> None:
        raise Silent(Silent())

    def not_printable(self) -> Any:
        return Silent()

    def broken_error(self) -> None:
        """An exception whose every part raises."""
        error = Silent()
        type(error).args = 5  # type: ignore[assignment]
        raise error

    def locked_value(self) -> None:
        """Gives what raises, as it is written, the class of error that a database raises that is away."""
        self.text = Away()  # type: ignore[assignment]

    def unwritable(self) -> None:
        """Works, and gives what no integer column takes."""
        self.effects = float("nan")  # type: ignore[assignment]
