"""Undo a run from the command line, and wait for it if asked."""

import getpass
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import ngettext

from backoffice.management.following import USAGE, RunCommand
from backoffice.runs.models import ChangeSet, Run
from backoffice.runs.operations import undo


class Command(RunCommand):
    help = (
        "Start a run that sets back what another run changed. A record in which that has changed since is left alone,"
        " and counted as a conflict; conflicts are no failures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="the number of the run")
        parser.add_argument(
            "--record", type=int, nargs="+", action="extend", metavar="ID", dest="records",
            help="only in these records, by id (default: all that the run changed)",
        )  # fmt: skip
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        undone = Run.objects.select_related("task").filter(pk=options["run"]).first()
        if undone is None:
            raise CommandError(f"There is no run {options['run']}.", returncode=USAGE)
        try:
            run = undo(undone, getpass.getuser(), records=options["records"], reason=options["reason"])
        except (ValueError, LookupError) as exc:
            raise CommandError(str(exc), returncode=USAGE) from None
        self.watch(run, wait=options["wait"])
        if run.conflicts:
            self.stderr.write(
                ngettext(
                    "%(n)s record was left alone: it had changed since.",
                    "%(n)s records were left alone: they had changed since.",
                    run.conflicts,
                )
                % {"n": f"{run.conflicts:,}"}
            )
        self.end(run, time.monotonic() - began, as_json=options["json"])

    def more(self, run: Run | None) -> dict[str, Any]:
        return {"changed": ChangeSet.objects.filter(run=run).count(), "conflicts": run.conflicts if run else 0}
