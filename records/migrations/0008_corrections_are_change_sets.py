import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.db import migrations, transaction
from django.utils.dateparse import parse_datetime

SLICE = 1_000


def move(apps: Any, schema_editor: Any) -> None:
    """What a record kept of itself is taken from it in the transaction that writes it elsewhere: begun again, it goes
    on."""
    connection, last = schema_editor.connection, 0
    while last is not None:
        with transaction.atomic(connection.alias):
            last = move_slice(apps, connection.alias, last)


def move_slice(apps: Any, using: str, after: int) -> int | None:
    """The last record that was looked at; None where there was none."""
    records = apps.get_model("records", "YourModel").objects.using(using)
    kept = records.filter(pk__gt=after).exclude(corrections=[]).order_by("pk").select_for_update()
    rows = dict(kept.values_list("pk", "corrections")[:SLICE])
    if not rows:
        return None
    kind, _made = apps.get_model("contenttypes", "ContentType").objects.db_manager(using).get_or_create(
        app_label="records", model="yourmodel"
    )  # fmt: skip
    change_set = apps.get_model("runs", "ChangeSet")
    found = [change_set(record_id=pk, record_type=kind, **each) for pk, made in rows.items() for each in sets_of(made)]
    change_set.objects.using(using).bulk_create(found)
    records.filter(pk__in=rows).update(corrections=[])
    return max(rows)


def sets_of(corrections: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A change set for each time corrections were made, as one of a plain call: which run it was, nobody noted."""
    for at, made in groupby(corrections, key=lambda each: each["at"]):
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for each in made:  # of two in one second what there was before the first
            before.setdefault(each["field"], each["before"])
            after[each["field"]] = each["after"]
        yield {
            "task": "records.tasks.apply_corrections",
            "at": parse_datetime(at),
            "fields": f" {' '.join(after)} ",
            "before": json.dumps([*before.values()], separators=(",", ":")),
            "after": json.dumps([*after.values()], separators=(",", ":")),
        }


class Migration(migrations.Migration):
    """Corrections give way to change sets: those there are. Going back leaves them there, which loses nothing."""

    atomic = False  # a transaction for each slice: others wait for no million

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("records", "0007_corrections_may_be_left_out"),
        ("runs", "0010_what_tasks_changed"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop, elidable=True)]
