"""What commands that start a run have in common: they watch it if asked, and say how it went."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import pluralize
from tqdm import tqdm

from backoffice.runs.engine import broker
from backoffice.runs.labels import skip_words
from backoffice.runs.models import Run
from backoffice.runs.registry import find

USAGE = 2  # exit code for bad usage, as argparse has it


class RunCommand(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", default="", help="why, in a sentence; the run keeps it")
        parser.add_argument("--wait", action="store_true", help="wait until the run has ended")
        parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")

    def watch(self, run: Run, *, wait: bool) -> None:
        self.announce(run, wait)
        if wait:
            self.follow(run)

    def end(self, run: Run | None, seconds: float, *, as_json: bool) -> None:
        self.report(run, seconds, as_json=as_json)
        if run and run.failed:
            sys.exit(1)

    def announce(self, run: Run, wait: bool) -> None:
        self.stderr.write(f"{run}: {run.total:,} record{pluralize(run.total)}, {run.skipped:,} skipped.")
        for reason, number in skip_words(run.task.name, run.skip_reasons).items():
            self.stderr.write(f"Skipped: {number:,} {reason}.")
        if run.cancelled_at:
            self.stderr.write(f"The run was cancelled: {run.cancel_reason}.")
        if run.waits_for_broker:
            self.stderr.write("Redis cannot be reached: the run is saved and starts by itself when Redis is back.")
        if wait and (unread := broker.unread(find(run.task.name))):
            self.stderr.write(unread)

    def follow(self, run: Run) -> None:
        try:
            with tqdm(total=run.total, unit=" records", disable=not sys.stderr.isatty()) as bar:
                for _look in run.looks():
                    bar.update(run.done - bar.n)
        except KeyboardInterrupt:
            raise CommandError(f"No longer waiting. Run {run.pk} goes on.", returncode=130) from None

    def report(self, run: Run | None, seconds: float, *, as_json: bool) -> None:
        if as_json:
            numbers = {name: getattr(run, name, 0) for name in ("total", "succeeded", "failed", "skipped")}
            told = {"run": run.pk if run else None, **numbers, "seconds": round(seconds, 3)}
            self.stdout.write(json.dumps(told | self.more(run)))
        elif run and run.finished_at:
            self.stdout.write(
                f"{run.get_state_display()}: {run.succeeded:,} succeeded, {run.failed:,} failed,"
                f" {run.revoked - run.conflicts:,} cancelled in {seconds:.1f} s."
            )

    def more(self, run: Run | None) -> dict[str, Any]:
        """Of one command alone, for its JSON object."""
        return {}
