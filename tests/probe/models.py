"""A record that behaves as a test asks it to."""

import os
import signal
import time

from django.db import models

from backoffice.runs.models import Outcome, Processable

from .odd import Never, Odd

__all__ = ["Never", "Odd", "Probe"]


class Probe(Processable):
    text = models.CharField(max_length=50, default="")
    behaviour = models.CharField(max_length=20, default="fine")
    result = models.CharField(max_length=20, default="")
    effects = models.IntegerField(default=0)

    def process(self) -> Outcome:
        getattr(self, self.behaviour)()
        self.result, self.processed = self.text.upper(), True
        self.effects += 1
        return Outcome("done", self.result)

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

    def unwritable(self) -> None:
        """Works, and gives what no integer column takes."""
        self.effects = float("nan")  # type: ignore[assignment]
