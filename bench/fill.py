"""Fill a new database:  python -m bench.fill 10100"""

import csv
import sys

import django
from django.core.management import call_command
from django.db import connection

from .environment import ROOT


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth import get_user_model

    get_user_model().objects.create_superuser("bench", password=None)
    fill(int(sys.argv[1]))


def fill(wanted: int) -> None:
    """The demo's real records, then copies of them under new references, doubling."""
    from records.models import YourModel

    with (ROOT / "fixtures" / "demo_records.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:wanted]
    YourModel.objects.bulk_create(
        [YourModel(**{field: row[field] for field in YourModel.INPUTS}) for row in rows], batch_size=500
    )
    table = YourModel._meta.db_table
    copied = [f.column for f in YourModel._meta.concrete_fields if f.name not in ("id", "reference")]
    columns = ", ".join(copied)
    have = len(rows)
    while have < wanted:
        more = min(have, wanted - have)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (reference, {columns})"
                f" SELECT 'B-' || (id + {have}), {columns} FROM {table} ORDER BY id LIMIT {more}"
            )
        have += more
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


if __name__ == "__main__":
    main()
