"""A worker gets this by `-I tests.faults.odd_step`: when it connects again it fails once, as in celery #9250."""

from typing import Any

from celery import bootsteps, current_app


class OddStep(bootsteps.StartStopStep):
    # Without this it has any place among the steps, also the one before the connection is made.
    requires = {"celery.worker.consumer.tasks:Tasks"}
    starts = 0

    def start(self, parent: Any) -> None:
        self.starts += 1
        if self.starts == 2:
            raise ValueError("file descriptor is None")


current_app.steps["consumer"].add(OddStep)
