"""manage.py doctor: is everything there that the work needs, and if not, what to do about it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from backoffice.desk.agreement.kinds import found
from backoffice.desk.audit.retention import kept
from backoffice.desk.health.health import Check
from backoffice.desk.health.redis_probe import forget
from backoffice.desk.health.thorough import drift_check, thorough_checks
from backoffice.runs.doctor.compare import measure
from backoffice.runs.doctor.findings import Drift
from backoffice.runs.doctor.repair import repair

from ..who import who


class Command(BaseCommand):
    help = "Checks broker, results, database, workers, beat, queues and ledger. Exit 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="write TaskResult, Redis and runs as the ledger has it, release leases long expired, and sweep once",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        forget()
        mended = repair(who("doctor"), kept()) if options["repair"] and schema_is_there() else None
        forget()  # what a repair has changed is asked anew
        checks = thorough_checks()
        if schema_is_there(checks):
            checks.append(drift_check(measure(kept=kept())))
        ok = all(check.ok for check in checks)
        if options["json"]:
            self.print_json(checks, mended)
        else:
            self.print_table(checks)
            if mended is not None:
                self.print_mended(checks, mended)
        if not ok:
            raise SystemExit(1)

    def print_json(self, checks: list[Check], mended: Drift | None) -> None:
        told: dict[str, Any] = {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}
        if mended is not None:
            told["repaired"] = mended.as_dict()
        self.stdout.write(json.dumps(told))

    def print_table(self, checks: list[Check]) -> None:
        width = max(len(check.name) for check in checks)
        for check in checks:
            word = self.style.SUCCESS(_("ok   ")) if check.ok else self.style.ERROR(_("WRONG"))
            self.stdout.write(f"{word}  {check.name:<{width}}  {check.summary}")
            if not check.ok and check.advice:
                self.stdout.write(f"{'':7}{'':<{width}}  -> {check.advice}")

    def print_mended(self, checks: list[Check], mended: Drift) -> None:
        told = _("Nothing had to be repaired.")
        if mended.total:
            told = _("Repaired, and noted in the activity log: %(what)s.") % {"what": found(mended)}
        self.stdout.write(told)
        if left := ", ".join(check.name for check in checks if not check.ok):
            self.stdout.write(_("What --repair cannot mend: %(names)s. Do what the arrows say.") % {"names": left})


def schema_is_there(checks: list[Check] | None = None) -> bool:
    return next((check.ok for check in checks or thorough_checks() if check.name == _("Schema")), False)
