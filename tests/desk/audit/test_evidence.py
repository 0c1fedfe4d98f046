"""The evidence pack: everything about one run in one file that can be checked, for those who may see the run."""

import codecs
import csv
import hashlib
import io
import json
import tomllib
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib import admin
from django.utils import timezone

from backoffice.desk.audit import evidence, retention
from backoffice.results.models import Activity
from backoffice.runs.models import Run, RunItem
from backoffice.runs.operations import undo
from backoffice.testing import work_off
from tests.factories import user
from tests.probe.models import Probe
from tests.runs.factories import poke_all, probes

pytestmark = pytest.mark.django_db
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
FILES = [
    "items.csv",
    "outcomes.jsonl",
    "changes.csv",
    "changes.jsonl",
    "activity.jsonl",
    "manifest.json",
    "sha256sums.txt",
]


def url(run: Run) -> str:
    return f"/admin/desk/evidence/{run.pk}/"


def finished_run(**options) -> Run:
    probes(3)
    Probe.objects.create(text="Zoë <script>", behaviour="fail")
    return work_off(poke_all(**options))


def opened(response) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


@pytest.fixture
def anna(client):
    made = user("probe.change_probe", username="anna")
    client.force_login(made)
    return made


def test_the_pack_holds_the_ledger_the_outcomes_and_the_log(client, anna):
    run = finished_run(requester=anna, selection="all of them")
    response = client.get(url(run))
    assert response["Content-Disposition"] == f'attachment; filename="run-{run.pk}-evidence.zip"'
    archive = opened(response)
    assert archive.namelist() == FILES
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["requester_name"], manifest["source"], manifest["selection"]) == ("anna", "action", "all of them")
    assert (manifest["task"], manifest["record_type"]) == ("tests.probe.tasks.poke", "probe.probe")
    assert (manifest["counts"]["total"], manifest["counts"]["failed"]) == (4, 1)
    assert manifest["versions"]["django"].startswith("5.2")
    assert manifest["versions"]["backoffice"] == tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    assert manifest["schema"]["runs"].startswith("0")
    assert archive.read("items.csv").startswith(codecs.BOM_UTF8)
    items = list(csv.DictReader(io.StringIO(archive.read("items.csv").decode("utf-8-sig"))))
    outcomes = [json.loads(line) for line in archive.read("outcomes.jsonl").splitlines()]
    assert [item["task_id"] for item in items] == [row["task_id"] for row in outcomes]
    assert [item["state"] for item in items] == [row["status"] for row in outcomes]
    assert len(items) == 4
    assert "Zoë <script>" in outcomes[-1]["result"]["exc_message"][0]
    log = [json.loads(line) for line in archive.read("activity.jsonl").splitlines()]
    assert [entry["verb"] for entry in log] == ["run.started", "run.finished", "run.exported"]


def test_the_pack_holds_what_changed_for_people_and_with_types(client, anna):
    run = finished_run(requester=anna)
    Probe.objects.filter(text="probe 1").delete()
    archive = opened(client.get(url(run)))
    lines = list(csv.DictReader(io.StringIO(archive.read("changes.csv").decode("utf-8-sig"))))
    told = [json.loads(line) for line in archive.read("changes.jsonl").splitlines()]
    assert [row["changes"]["result"] for row in told] == [["", f"PROBE {n}"] for n in range(3)]
    assert [row["record"] for row in told][1] == ""
    assert {line["record_id"] for line in lines} == {str(row["record_id"]) for row in told}
    first = {line["field"]: (line["before"], line["after"]) for line in lines[:3]}
    assert first == {"result": ("", "PROBE 0"), "effects": ("0", "1"), "processed": ("False", "True")}
    assert (lines[0]["record"], lines[0]["task_id"]) == (f"Probe object ({told[0]['record_id']})", told[0]["task_id"])


def test_what_a_record_said_is_told_to_those_who_may_look_at_it(client, anna):
    run = finished_run(requester=anna)
    client.force_login(user("runs.view_run", username="eve"))
    archive = opened(client.get(url(run)))
    assert (archive.read("changes.csv"), archive.read("changes.jsonl")) == (b"", b"")
    manifest = json.loads(archive.read("manifest.json"))
    assert "changes.jsonl: told to those who may look at the records" in manifest["missing"]


def test_changes_that_retention_deleted_are_told_to_be_missing(client, anna):
    run = finished_run(requester=anna)
    Run.objects.update(finished_at=timezone.now() - timedelta(days=9))
    assert sum(retention.changes(timezone.now() - timedelta(days=7))) == 3
    manifest = json.loads(opened(client.get(url(run))).read("manifest.json"))
    assert manifest["missing"] == ["changes.jsonl: 3 of the records that changed are not here: deleted by retention"]


def test_the_pack_of_an_undo_names_the_run_and_holds_what_was_left_alone(client, anna):
    run = finished_run(requester=anna)
    moved = Probe.objects.order_by("pk").first()
    Probe.objects.filter(pk=moved.pk).update(result="by hand")
    again = work_off(undo(run, "anna"))
    Run.objects.filter(pk=again.pk).update(requester=anna)
    archive = opened(client.get(url(again)))
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["purpose"], manifest["undoes_id"], manifest["counts"]["conflicts"]) == ("undo", run.pk, 1)
    (told,) = [json.loads(line) for line in archive.read("left_alone.jsonl").splitlines()]
    assert (told["record_id"], told["fields"]["result"]) == (moved.pk, ["", "PROBE 0", "by hand"])


def test_fields_that_a_team_keeps_off_its_pages_are_in_no_file_of_it_and_named(client, anna, monkeypatch):
    run = finished_run(requester=anna)
    Probe.objects.update(result="by hand")
    again = work_off(undo(run, "anna"))
    Run.objects.filter(pk=again.pk).update(requester=anna)
    monkeypatch.setattr(admin.site._registry[Probe], "exclude", ("result",))
    for each in (run, again):
        archive = opened(client.get(url(each)))
        for name in archive.namelist():
            is_told = name in ("changes.csv", "changes.jsonl", "left_alone.jsonl")
            assert not (is_told and b"result" in archive.read(name)), name
        manifest = json.loads(archive.read("manifest.json"))
        assert evidence.OFF_PAGES.format("changes.csv, changes.jsonl", "result") in manifest["missing"]


@pytest.mark.parametrize("parts", [0, 3, 100])
def test_the_manifest_tells_what_retention_deleted_before_or_while_it_was_taken(parts, monkeypatch):
    run = finished_run()
    Run.objects.update(finished_at=timezone.now() - timedelta(days=9))
    monkeypatch.setattr(evidence, "AT_ONCE", 2)
    content, taken = evidence.pack(run, "otto"), []
    for _number, part in zip(range(parts), content, strict=False):
        taken.append(part)
    assert sum(retention.items(timezone.now() - timedelta(days=7))) == 4
    archive = zipfile.ZipFile(io.BytesIO(b"".join([*taken, *content])))
    manifest = json.loads(archive.read("manifest.json"))
    items = len(archive.read("items.csv").splitlines()) - 1
    outcomes = len(archive.read("outcomes.jsonl").splitlines())
    changes = len(archive.read("changes.jsonl").splitlines())
    assert manifest["holds"] == {"items": items, "outcomes": outcomes, "changes": changes}
    lacking = [line.split()[:2] for line in manifest["missing"]]
    assert lacking == [
        [f"{name}:", str(4 - number)] for name, number in (("items.csv", items), ("outcomes.jsonl", outcomes))
        if number < 4
    ]  # fmt: skip
    assert bool(lacking) is (parts < 100)


def test_every_file_has_its_checksum(client, anna):
    archive = opened(client.get(url(finished_run(requester=anna))))
    sums = dict(reversed(line.split("  ")) for line in archive.read("sha256sums.txt").decode().splitlines())
    assert list(sums) == FILES[:-1]
    for name, digest in sums.items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(client, anna):
    run = finished_run(requester=anna)
    RunItem.objects.filter(run=run).update(error="=HYPERLINK(1)", outcome="+1")
    items = list(csv.DictReader(io.StringIO(opened(client.get(url(run))).read("items.csv").decode("utf-8-sig"))))
    assert {(item["error"], item["outcome"]) for item in items} == {("'=HYPERLINK(1)", "'+1")}


def test_the_pages_of_items_leave_none_out_and_repeat_none(client, anna):
    run = finished_run(requester=anna)
    for size in (1, 2, 4, 5):
        ids = [item.record_id for page in RunItem.objects.of(run).in_pages(size) for item in page]
        assert ids == sorted(Probe.objects.values_list("pk", flat=True))


def test_to_others_the_run_does_not_exist(client, anna):
    run = finished_run(requester=anna)
    client.force_login(user())
    assert client.get(url(run)).status_code == 404
    assert client.get(f"/admin/desk/evidence/{2**70}/").status_code == 404
    client.logout()
    assert client.get(url(run)).status_code == 302
    assert not Activity.objects.filter(verb="run.exported").exists()


def test_who_may_see_runs_may_take_it_and_that_is_logged(client):
    run = finished_run(requester=user("probe.change_probe"))
    auditor = user("runs.view_run", username="otto")
    client.force_login(auditor)
    assert client.post(url(run)).status_code == 405
    assert json.loads(opened(client.get(url(run))).read("manifest.json"))["taken_by"] == "otto"
    assert Activity.objects.get(verb="run.exported").actor == "otto"


def test_the_run_page_offers_it(client, anna):
    run = finished_run(requester=anna)
    assert url(run) in client.get(f"/admin/runs/run/{run.pk}/change/").content.decode()
