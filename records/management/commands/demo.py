"""What `make run` shows on a fresh machine: groups, schedules, four logins and 1,500 real records."""

import csv
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.db.models import QuerySet

from backoffice.results import activity
from backoffice.runs.seam import compare

from ...models import YourModel

PASSWORD = "backoffice"  # noqa: S105 - known to everybody, and said so
GROUP_OF = {"operator": "Operator", "scheduler": "Scheduler", "auditor": "Auditor"}
ADMIN = "admin"
RECORDS = Path(settings.BASE_DIR) / "fixtures" / "demo_records.csv"


def demo_rows() -> list[dict[str, str]]:
    with RECORDS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def references() -> list[str]:
    return [row["reference"] for row in demo_rows()]


def holds(rows: QuerySet[Any], column: str) -> bool:
    """False where there is no such table yet, or one from before it had the column."""
    table = rows.model._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        columns = connection.introspection.get_table_description(cursor, table)
    return column in {each.name for each in columns} and rows.exists()


class Command(BaseCommand):
    help = "Fill an empty database with the demo. What is there already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether this database would be refused")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        self.refuse_others()
        if not check:
            self.fill()

    @transaction.atomic
    def fill(self) -> None:
        call_command("setup_backoffice", stdout=self.stdout)
        self.add_users()
        self.load_records()

    def refuse_others(self) -> None:
        """People and none of the demo's records: an installation that somebody works with, migrated or not."""
        demo = YourModel.objects.filter(reference__in=references())
        if holds(get_user_model()._default_manager.all(), "password") and not holds(demo, "reference"):
            raise CommandError(
                "This database holds people but none of the demo's records, so the demo and its logins, whose password "
                "everybody knows, are not put into it. Start without --demo, or give the demo a folder of its own with "
                "BACKOFFICE_VAR=/path and no DATABASE_URL."
            )

    def add_users(self) -> None:
        """Never in a database that has people in it: the password is on the front page of the README."""
        if settings.AUTH_USER_MODEL != "auth.User":
            self.say("Logins: this project has a user model of its own, so the demo's are not added.")
            return
        users = get_user_model().objects
        wanted = {ADMIN, *GROUP_OF}
        there = set(users.values_list("username", flat=True))
        if there - wanted:
            self.say("Logins: this database has users of its own, so the demo's are not added.")
            return
        if not wanted - there:
            self.say("Logins: there already.")
            return
        password = make_password(PASSWORD)  # hashed once: hashing is slow on purpose
        for name in sorted(wanted - there):
            user = users.create(username=name, is_staff=True, is_superuser=name == ADMIN, password=password)
            user.groups.set(Group.objects.filter(name=GROUP_OF.get(name)))
        self.say(f"Logins: {', '.join(sorted(wanted - there))}; the password of each is {PASSWORD}.")

    def load_records(self) -> None:
        rows = demo_rows()
        if YourModel.objects.filter(reference__in=references()).exists():
            self.say("Records: there already.")
            return
        made = [YourModel(**{field: row[field] for field in YourModel.INPUTS}) for row in rows]
        YourModel.objects.bulk_create(made, batch_size=500, ignore_conflicts=True)
        compare(YourModel, YourModel.objects.filter(reference__in=references()).values_list("pk", flat=True))
        activity.log(None, "record.imported", RECORDS.name, new=len(made))
        self.say(f"Records: {len(made):,} loaded from fixtures/{RECORDS.name} (TED, © European Union).")

    def say(self, line: str) -> None:
        self.stdout.write(line)
