"""What records kept of their corrections is in change sets after an upgrade, and the version before works on."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils.dateparse import parse_datetime as at

from backoffice.runs.models import ChangeSet, RunItem, TaskName
from backoffice.runs.pages import timeline
from backoffice.runs.seam import undo
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.desk.factories import run

BEFORE = ("records", "0006_a_person_accepts_issues")
moved = import_module("records.migrations.0008_corrections_are_change_sets")


def correction(field: str, before: str, after: str, at: str = "2026-11-20T10:00:00+00:00") -> dict[str, str]:
    return {"field": field, "before": before, "after": after, "code": f"{field}.format", "at": at}


LATER = "2026-11-21T11:00:00+01:00"
MADE = [
    correction("country", "Deutschland", "DE"),
    correction("town", 'K"öln\\', "Köln"),
    correction("country", "DE", "AT", LATER),
    correction("country", "AT", "CH", LATER),  # the same second
]


@pytest.fixture
def version_before(transactional_db):
    """The models of the version before, with its tables."""
    call_command("migrate", *BEFORE, verbosity=0)
    yield MigrationLoader(connection).project_state([BEFORE]).apps.get_model("records", "YourModel")
    call_command("migrate", verbosity=0)


@pytest.fixture
def old_records(version_before):
    rows = [version_before(reference=f"R{n}", name="x", corrections=MADE if n % 2 else []) for n in range(9)]
    version_before.objects.bulk_create(rows)
    return version_before


def kept(pk: int) -> list[tuple[str, list[tuple[str, str, str]]]]:
    rows = ChangeSet.objects.filter(record_id=pk).order_by("at")
    return [(f"{row.at:%d %H}", [tuple(change) for change in row.changes]) for row in rows]


def test_each_time_is_a_change_set_of_a_plain_call(old_records, monkeypatch):
    monkeypatch.setattr(moved, "SLICE", 3)
    call_command("migrate", verbosity=0)
    assert ChangeSet.objects.count() == 8
    record = YourModel.objects.get(reference="R3")
    assert kept(record.pk) == [
        ("20 10", [("country", "Deutschland", "DE"), ("town", 'K"öln\\', "Köln")]),
        ("21 10", [("country", "DE", "CH")]),
    ]
    entries = timeline.of_record(YourModel, record.pk, factories.user(is_superuser=True)).entries
    assert [entry.title for entry in entries] == ["Apply corrections"] * 2
    assert [(each.label, each.before, each.after) for each in entries[0].changes] == [("Country", "DE", "CH")]
    assert not old_records.objects.exclude(corrections=[]).exists()


def test_what_a_run_corrected_is_one_entry_with_its_run(old_records):
    record = old_records.objects.get(reference="R3")
    task, _made = TaskName.objects.get_or_create(name="records.tasks.apply_corrections")
    first, second = (at(correction["at"]) for correction in (MADE[0], MADE[2]))
    runs = [run(task=task, requester_name="anna") for _ in range(2)]
    for each, moment in zip(runs, (first, second), strict=True):
        times = {"started_at": moment, "finished_at": moment + timedelta(milliseconds=300)}
        RunItem.objects.create(run=each, record_id=record.pk, task_no=task.pk, state="SUCCESS", active=False, **times)
    # The second one was made by a version that kept change sets already.
    values = {"fields": " country ", "before": '["DE"]', "after": '["CH"]'}
    ChangeSet.objects.create(run=runs[1], record_id=record.pk, at=second, **values)
    call_command("migrate", verbosity=0)
    entries = timeline.of_record(YourModel, record.pk, factories.user(is_superuser=True)).entries
    assert [(entry.run_id, entry.who) for entry in entries] == [(each.pk, "anna") for each in reversed(runs)]
    told = [[each.label for each in entry.changes] for entry in entries]
    assert told == [["Country"], ["Country", "Town", "Processed"]]
    assert ChangeSet.objects.filter(run=None).count() == 6


def test_such_a_run_is_undone_and_its_record_is_not_called_processed(version_before):
    values = {"country": "DE", "processed": True, "verdict": "valid", "corrections": MADE[:1]}
    record = version_before.objects.create(reference="R1", name="x", **values)
    task, _made = TaskName.objects.get_or_create(name="records.tasks.apply_corrections")
    moment = at(MADE[0]["at"])
    old = run(task=task, state="SUCCESS", finished_at=moment)
    times = {"started_at": moment, "finished_at": moment}
    RunItem.objects.create(run=old, record_id=record.pk, task_no=task.pk, state="SUCCESS", active=False, **times)
    call_command("migrate", verbosity=0)
    assert work_off(undo(old, "anna")).succeeded == 1
    found = YourModel.objects.get(pk=record.pk)
    assert (found.country, found.processed) == ("Deutschland", False)


def test_begun_again_it_goes_on_where_it_stopped(old_records, monkeypatch):
    monkeypatch.setattr(moved, "SLICE", 3)
    call_command("migrate", "records", "0007", verbosity=0)
    call_command("migrate", "runs", verbosity=0)
    steps = [("records", "0007_corrections_may_be_left_out"), ("runs", "0010_what_tasks_changed")]
    known = MigrationLoader(connection).project_state(steps).apps
    with transaction.atomic():
        assert moved.move_slice(known, "default", 0)
    assert 0 < ChangeSet.objects.count() < 8
    call_command("migrate", verbosity=0)
    assert ChangeSet.objects.count() == 8


def test_the_version_before_and_this_one_write_the_same_table(version_before):
    call_command("migrate", verbosity=0)
    old = version_before.objects.create(reference="old", name="x", corrections=MADE)
    new = YourModel.objects.create(reference="new", name="x")
    assert version_before.objects.get(pk=new.pk).corrections == []
    YourModel.objects.filter(pk=old.pk).update(town="Bonn")
    assert version_before.objects.get(pk=old.pk).corrections == MADE


def test_back_and_forth_loses_nothing(old_records):
    call_command("migrate", verbosity=0)
    call_command("migrate", *BEFORE, verbosity=0)
    call_command("migrate", verbosity=0)
    assert ChangeSet.objects.count() == 8
    assert YourModel.objects.count() == 9
