"""The timeline of one record by days, and its evidence pack: for those who may look at the record, of any model."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.utils import timezone
from django_celery_results.models import TaskResult

from backoffice.desk.audit import record_evidence
from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.runs.models import RunItem
from backoffice.runs.seam import start, undo
from backoffice.testing import work_off
from tests.factories import user
from tests.probe.models import Probe
from tests.probe.tasks import poke
from tests.runs.factories import poke_all, probes
from tests.second.models import Invoice

pytestmark = pytest.mark.django_db
FILES = [
    *(
        "record.json",
        "timeline.csv",
        "items.csv",
        "outcomes.jsonl",
        "changes.jsonl",
        "left_alone.jsonl",
        "activity.jsonl",
    ),
    *("manifest.json", "sha256sums.txt"),
]


def page(record) -> str:
    return f"/admin/desk/timeline/{record._meta.label_lower}/{record.pk}/"


def pack(client, record, **days) -> zipfile.ZipFile:
    response = client.get(f"{page(record)}evidence/", days)
    assert response.status_code == 200
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def lines(archive, name):
    return [json.loads(line) for line in archive.read(name).splitlines()]


def table(archive, name):
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


@pytest.fixture
def anna(client):
    made = user("probe.change_probe", "django_celery_results.view_taskresult", username="anna")
    client.force_login(made)
    return made


@pytest.fixture
def probe():
    """Edited on the first two days of March at noon, and worked on by a run and a plain call since."""
    probes(1)
    made = Probe.objects.get()
    for day in (1, 2):
        entry = log("otto", "record.edited", made, changes={"text": ["=A  B", "A B"]})
        at = timezone.make_aware(datetime(2026, 3, day, 12))  # noqa: DTZ001 - made aware at once
        super(type(Activity.objects.all()), Activity.objects.filter(pk=entry.pk)).update(at=at)
    return made


def test_the_pack_tells_all_that_happened_with_person_and_run_and_its_checksums(client, anna, probe):
    run = work_off(poke_all(requester=anna, reason="to see"))
    Probe.objects.update(result="")
    poke.apply(args=[probe.pk])
    archive = pack(client, probe)
    assert archive.namelist() == FILES
    sums = dict(reversed(line.split("  ")) for line in archive.read("sha256sums.txt").decode().splitlines())
    assert sums == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in FILES[:-1]}
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["record_type"], manifest["record_id"], manifest["taken_by"]) == ("probe.probe", probe.pk, "anna")
    assert manifest["holds"] == {"timeline": 5, "items": 1, "outcomes": 1, "changes": 2, "left_alone": 0, "activity": 3}
    assert manifest["missing"] == []
    told = table(archive, "timeline.csv")
    assert [line["what"] for line in told if line["field"] in ("Result", "Text", "")] == [
        *("Evidence taken", "Poke", f"Run {run.pk}: Poke", "Edited", "Edited"),
    ]
    of_run = next(line for line in told if line["run"])
    assert (of_run["who"], of_run["run"], of_run["reason"]) == ("anna", str(run.pk), "to see")
    assert (told[-1]["who"], told[-1]["before"], told[-1]["after"]) == ("otto", "'=A  B", "A B")
    assert [item["run"] for item in table(archive, "items.csv")] == [str(run.pk)]
    assert [row["task_id"] for row in lines(archive, "outcomes.jsonl")] == [run.item_task_id(probe.pk)]
    by_run, by_call = lines(archive, "changes.jsonl")
    assert (by_run["run"], by_run["changes"]["result"]) == (run.pk, ["", "PROBE 0"])
    assert (by_call["run"], by_call["task"]) == (None, "tests.probe.tasks.poke")
    assert json.loads(archive.read("record.json"))["text"] == "probe 0"
    assert [entry["verb"] for entry in lines(archive, "activity.jsonl")][-1] == "record.evidence_taken"


def test_both_are_of_the_days_that_are_asked_for(client, anna, probe):
    work_off(poke_all())

    def held(**days) -> tuple[int, int]:
        shown = len(client.get(page(probe), days).context["timeline"].entries)
        manifest = json.loads(pack(client, probe, **days).read("manifest.json"))
        return shown, manifest["holds"]["timeline"]

    assert held(since="2026-03-01", until="2026-03-01") == (1, 1)
    assert held(since="2026-03-02", until="2026-03-02") == (1, 1)
    assert held(until="2026-03-02") == (2, 2)
    assert held(since="2026-03-03", until="2026-03-03") == (0, 0)
    assert held(since=f"{timezone.localdate()}")[0] == 1 + 4  # the run, and the packs
    empty = client.get(page(probe), {"since": "2026-03-03", "until": "2026-03-03"})
    assert "Nothing happened to it in these days." in empty.text
    assert f"{page(probe)}evidence/?since=2026-03-03&amp;until=2026-03-03" in empty.text


def test_pages_of_days_go_on_within_them(client, anna, probe):
    for _ in range(60):
        log("otto", "record.edited", probe)
    today = {"since": f"{timezone.localdate()}"}
    first = client.get(page(probe), today)
    assert len(first.context["timeline"].entries) == 50
    second = client.get(page(probe), today | {"before": first.context["timeline"].older})
    assert len(second.context["timeline"].entries) == 10
    assert f"since={timezone.localdate()}" in first.text.partition('rel="next"')[2][:200]


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"since": "yesterday"}, "“yesterday” is no day: write it as 2026-12-31."),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "These days end before they begin."),
    ],
)
def test_days_that_are_none_are_refused_with_one_sentence_by_page_and_pack(client, anna, probe, days, sentence):
    for address, status in ((page(probe), 200), (f"{page(probe)}evidence/", 400)):
        answer = client.get(address, days)
        assert (answer.status_code, answer.context["misread"]) == (status, sentence)
        assert sentence in answer.text
        assert "Nothing happened" not in answer.text
    assert not Activity.objects.filter(verb="record.evidence_taken").exists()


def test_what_is_in_work_is_told_on_the_days_on_which_it_began(client, anna, probe):
    poke_all()
    tomorrow = timezone.localdate() + timedelta(days=1)
    for days, number in (({"since": f"{tomorrow}"}, 0), ({"since": f"{timezone.localdate()}"}, 1)):
        entries = client.get(page(probe), days).context["timeline"].entries
        assert len([entry for entry in entries if entry.run_id]) == number
        assert len(table(pack(client, probe, **days), "items.csv")) == number


def test_a_record_that_is_gone_has_its_evidence(client, anna, probe):
    work_off(poke_all())
    log("otto", "record.deleted", probe, values={"text": "probe 0"})
    Probe.objects.all().delete()
    archive = pack(client, probe)
    assert json.loads(archive.read("record.json")) is None
    assert json.loads(archive.read("manifest.json"))["is_gone"]
    assert "record.deleted" in [entry["verb"] for entry in lines(archive, "activity.jsonl")]
    assert client.get(page(probe), {"since": "2026-03-03", "until": "2026-03-03"}).status_code == 200
    unknown = Probe(pk=10**9)
    assert client.get(f"{page(unknown)}evidence/").status_code == 404


def test_it_is_for_those_who_may_look_and_what_they_may_not_is_told_to_be_missing(client, probe):
    run = work_off(poke_all(requester=user("probe.change_probe")))
    for who, status in ((None, 302), (user(), 403), (user("runs.view_run"), 403)):
        client.logout()
        if who:
            client.force_login(who)
        assert client.get(f"{page(probe)}evidence/").status_code == status
    assert not Activity.objects.filter(verb="record.evidence_taken").exists()
    client.force_login(user("probe.view_probe"))
    assert client.post(f"{page(probe)}evidence/").status_code == 405
    archive = pack(client, probe)
    assert archive.read("outcomes.jsonl") == b""
    told = json.loads(archive.read("manifest.json"))["missing"]
    assert told == [record_evidence.UNTOLD.format(1)]
    client.force_login(user("probe.view_probe", "runs.view_run"))
    assert len(lines(pack(client, probe), "outcomes.jsonl")) == 1
    TaskResult.objects.filter(task_id=run.item_task_id(probe.pk)).delete()
    assert json.loads(pack(client, probe).read("manifest.json"))["missing"] == [record_evidence.LOST.format(1)]


def test_fields_that_a_team_keeps_off_its_pages_are_not_in_it_and_named(client, anna, probe, monkeypatch):
    work_off(poke_all())
    monkeypatch.setattr(admin.site._registry[Probe], "exclude", ("result",))
    archive = pack(client, probe)
    assert "result" not in json.loads(archive.read("record.json"))
    assert "result" not in lines(archive, "changes.jsonl")[0]["changes"]
    assert json.loads(archive.read("manifest.json"))["missing"] == [
        record_evidence.OFF_PAGES.format(record_evidence.FILES, "result")
    ]


def test_what_an_undo_left_alone_is_in_it(client, anna, probe):
    run = work_off(poke_all())
    Probe.objects.filter(pk=probe.pk).update(result="by hand")
    again = work_off(undo(run, "anna"))
    (told,) = lines(pack(client, probe), "left_alone.jsonl")
    assert (told["run"], told["fields"]["result"][-1]) == (again.pk, "by hand")


def test_many_runs_of_a_record_are_read_by_pages(client, anna, probe, monkeypatch):
    monkeypatch.setattr(record_evidence, "AT_ONCE", 2)
    runs = [work_off(poke_all()).pk for _ in range(5)]
    archive = pack(client, probe)
    assert [int(item["run"]) for item in table(archive, "items.csv")] == runs
    assert RunItem.objects.count() == len(lines(archive, "outcomes.jsonl")) == 5


def test_a_teams_second_model_has_it_too(client):
    client.force_login(user(is_superuser=True))
    invoice = Invoice.objects.create(number="2026-1", net=100)
    work_off(start(Invoice.objects.all(), "tax_invoice"))
    archive = pack(client, invoice)
    assert json.loads(archive.read("record.json"))["gross"] == {"decimal": "120.00"}
    assert lines(archive, "changes.jsonl")[0]["changes"]["gross"][0] is None
    assert f"{page(invoice)}evidence/" in client.get(page(invoice)).text
