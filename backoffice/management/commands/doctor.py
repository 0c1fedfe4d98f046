"""manage.py doctor: is everything there that the work needs, and if not, what to do about it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from backoffice.desk.health import Check, agreement, thorough_checks
from backoffice.desk.probe import forget
from backoffice.runs.agreement import measure


class Command(BaseCommand):
    help = "Checks broker, results, database, workers, beat, queues and ledger. Exit 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--repair", action="store_true", help="write TaskResult, Redis and run counts as the ledger has it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        forget()
        checks = thorough_checks()
        if next((check.ok for check in checks if check.name == _("Schema")), False):
            checks.append(agreement(measure(repair=options["repair"]), repaired=options["repair"]))
        ok = all(check.ok for check in checks)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}))
        else:
            self.print_table(checks)
        if not ok:
            raise SystemExit(1)

    def print_table(self, checks: list[Check]) -> None:
        width = max(len(check.name) for check in checks)
        for check in checks:
            word = self.style.SUCCESS(_("ok   ")) if check.ok else self.style.ERROR(_("WRONG"))
            self.stdout.write(f"{word}  {check.name:<{width}}  {check.summary}")
            if not check.ok and check.advice:
                self.stdout.write(f"{'':7}{'':<{width}}  -> {check.advice}")
