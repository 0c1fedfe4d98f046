import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import migrations, transaction
from django.utils.dateparse import parse_datetime

SLICE = 1_000
TASK = "records.tasks.apply_corrections"
SLACK = timedelta(seconds=2)  # corrections tell whole seconds, by the worker's clock


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
    runs = runs_of(apps, using, rows)
    told = told_of(apps, using, rows, {number for made in runs.values() for _begun, _ended, number in made})
    found = []
    for pk, made in rows.items():
        for each in sets_of(made):
            run = next((number for begun, ended, number in runs[pk] if begun <= each["at"] <= ended), None)
            if run is None:
                found.append(change_set(record_id=pk, record_type=kind, task=TASK, **each))
            elif (run, pk) not in told:
                told.add((run, pk))
                found.append(change_set(record_id=pk, run_id=run, **with_processed(each)))
    change_set.objects.using(using).bulk_create(found)
    records.filter(pk__in=rows).update(corrections=[])
    return max(rows)


def runs_of(apps: Any, using: str, ids: Iterable[int]) -> dict[int, list[tuple[datetime, datetime, int]]]:
    """By record, when runs corrected it, as far as the ledger still knows."""
    tasks = apps.get_model("runs", "TaskName").objects.using(using).filter(name=TASK).values_list("pk", flat=True)
    items = apps.get_model("runs", "RunItem").objects.using(using)
    ended = items.filter(record_id__in=list(ids), task_no__in=list(tasks), finished_at__isnull=False, state="SUCCESS")
    found: dict[int, list[tuple[datetime, datetime, int]]] = defaultdict(list)
    for pk, begun, end, run in ended.values_list("record_id", "started_at", "finished_at", "run_id"):
        found[pk].append(((begun or end) - SLACK, end + SLACK, run))
    return found


def told_of(apps: Any, using: str, ids: Iterable[int], runs: set[int]) -> set[tuple[int, int]]:
    """Of these runs and records those that have their change sets already."""
    rows = apps.get_model("runs", "ChangeSet").objects.using(using).filter(run__in=runs, record_id__in=list(ids))
    return set(rows.values_list("run_id", "record_id"))


def with_processed(told: dict[str, Any]) -> dict[str, Any]:
    """Runs took only what was processed, and it then was so no more: who undoes one is to know."""
    before, after = f"{told['before'][:-1]},true]", f"{told['after'][:-1]},false]"
    return {**told, "fields": f"{told['fields']}processed ", "before": before, "after": after}


def sets_of(corrections: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What a change set says, for each time corrections were made."""
    for at, made in groupby(corrections, key=lambda each: each["at"]):
        before: dict[str, str] = {}
        after: dict[str, str] = {}
        for each in made:  # of two in one second what there was before the first
            before.setdefault(each["field"], each["before"])
            after[each["field"]] = each["after"]
        yield {
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
