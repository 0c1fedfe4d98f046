"""A record's timeline: everything that happened to it, in one list, also when it is gone."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.results.activity import log
from backoffice.results.models import Activity
from backoffice.runs.models import Run, RunItem
from backoffice.runs.pages import timeline
from backoffice.runs.start import RunRequest, start, start_requested
from backoffice.testing import work_off
from records.models import YourModel
from tests import factories
from tests.exchange.made_files import csv_of, line

pytestmark = pytest.mark.django_db


def page(record) -> str:
    return reverse("admin:records_yourmodel_change", args=[record.pk])


def own_page(pk: int, label: str = "records.yourmodel") -> str:
    return reverse("admin:desk_timeline", args=[label, pk])


def run_over(record, task="process_model_instance", **options) -> Run:
    return work_off(start_requested(YourModel.objects.filter(pk=record.pk), task, RunRequest(**options)))


def edit(client, record, **values):
    data = {field: getattr(record, field) for field in YourModel.INPUTS} | values
    response = client.post(page(record), data)
    assert response.status_code == 302, response.context and response.context["errors"]


def titles(record, user, **options) -> list[str]:
    found = timeline.of_record(YourModel, record.pk, user, **options)
    return [entry.title for entry in found.entries]


@pytest.fixture
def operator(client):
    client.user = factories.member("Operator")
    client.force_login(client.user)
    return client


def test_edits_runs_and_corrections_stand_in_one_list_newest_first(operator):
    record = factories.record(email="Anna@EXAMPLE.COM", country="Deutschland")
    edit(operator, record, town="Köln")
    run = run_over(record, requester=operator.user)
    fix = run_over(record, "apply_corrections", requester=operator.user)
    found = timeline.of_record(YourModel, record.pk, operator.user, record=record)
    said = {entry.title for entry in found.entries}
    assert said == {"Edited", f"Run {run.pk}: Process", f"Run {fix.pk}: Apply corrections"}
    changes = next(entry.changes for entry in found.entries if entry.number == fix.pk)
    assert ("Country", "Deutschland", "DE") in [(each.label, each.before, each.after) for each in changes]
    html = operator.get(page(record)).content.decode()
    assert "<del>Berlin</del>" in html
    assert "<ins>Köln</ins>" in html
    assert html.index(f"Run {fix.pk}:") < html.index(f"Run {run.pk}:") < html.index("<ins>Köln</ins>")


def test_an_import_is_in_the_timeline_of_each_record_it_added_or_changed(operator):
    old = factories.record(reference="R-1", town="Bonn")
    data = csv_of(line(reference="R-1", town="Köln"), line(reference="R-2", town="Ulm"))
    upload = SimpleUploadedFile("partners.csv", data)
    preview = operator.post("/admin/records/yourmodel/import/", {"import_file": upload, "format": "0", "resource": "0"})
    operator.post("/admin/records/yourmodel/process_import/", preview.context["confirm_form"].initial)
    new = YourModel.objects.get(reference="R-2")
    assert titles(new, operator.user) == ["Added by an import"]
    entry = timeline.of_record(YourModel, old.pk, operator.user).entries[0]
    assert (entry.title, entry.said) == ("Changed by an import", "partners.csv")
    assert ("Town", "Bonn", "Köln") in [(change.label, change.before, change.after) for change in entry.changes]


def test_a_deleted_record_keeps_its_timeline_with_what_was_corrected(operator):
    boss = factories.user(is_superuser=True)
    record = factories.record(country="Deutschland")
    run_over(record)
    run_over(record, "apply_corrections")
    operator.force_login(boss)
    operator.post(reverse("admin:records_yourmodel_delete", args=[record.pk]), {"post": "yes"})
    assert not YourModel.objects.exists()
    html = operator.get(own_page(record.pk)).content.decode()
    assert "does not exist any more" in html
    assert "Deleted" in html
    assert "<del>Deutschland</del>" in html
    assert "Apply corrections" in html
    assert Activity.objects.get(verb="record.deleted").details["values"]["country"] == "DE"


def test_fifty_at_a_time_and_the_older_ones_by_key(operator):
    record = factories.record()
    for number in range(120):
        log("anna", "record.edited", record, changes={"town": [str(number), str(number + 1)]})
    seen, before = [], ""
    for _ in range(3):
        found = timeline.of_record(YourModel, record.pk, operator.user, record=record, before=before)
        seen += [entry.number for entry in found.entries]
        before = found.older
    assert before == ""
    assert seen == list(Activity.objects.filter(verb="record.edited").order_by("-pk").values_list("pk", flat=True))
    html = operator.get(page(record)).content.decode()
    assert "?before=" in html


def test_what_happened_at_the_same_moment_is_on_no_two_pages_and_on_one(monkeypatch):
    record, boss = factories.record(), factories.user(is_superuser=True)
    entries = [log("anna", "record.edited", record) for _ in range(5)]
    super(type(Activity.objects.all()), Activity.objects.all()).update(at=entries[0].at)
    monkeypatch.setattr(timeline, "PAGE", 2)
    seen, before = [], ""
    for _ in range(3):
        found = timeline.of_record(YourModel, record.pk, boss, before=before)
        seen += [entry.number for entry in found.entries]
        before = found.older
    assert sorted(seen) == [entry.pk for entry in entries]


@pytest.mark.parametrize("before", ["x", "2026-01-01", "9999-99-99T00:00:00Z_1_1", "2026-01-01T00:00:00+00:00_1_x"])
def test_a_key_that_is_none_shows_the_newest(operator, before):
    record = factories.record()
    log("anna", "record.edited", record)
    assert operator.get(page(record), {"before": before}).status_code == 200
    assert titles(record, operator.user, before=before) == ["Edited"]


def test_asks_the_same_number_of_questions_however_much_happened(operator, django_assert_num_queries):
    record = factories.record()
    for _ in range(60):
        log("anna", "record.edited", record)
    for _ in range(3):
        run_over(record, requester=operator.user)
    timeline.of_record(YourModel, record.pk, operator.user)  # the content type is remembered
    # tasks, activities, planned items, active ones, finished ones, changes of these and of calls
    with django_assert_num_queries(7):
        timeline.of_record(YourModel, record.pk, operator.user)


def test_every_source_is_read_by_an_index(is_sqlite):
    if not is_sqlite:
        pytest.skip("EXPLAIN differs")
    record = factories.record()
    start(YourModel.objects.all(), "process_model_instance")
    activities = Activity.objects.filter(model="records.yourmodel", object_id=str(record.pk)).order_by("-at", "-pk")
    items = timeline.items_of(YourModel, record.pk)
    for rows, index in (
        (activities, "activity_of_object"),
        (items.filter(finished_at__isnull=False), "item_history"),
        (items.filter(active=True), "one_active_run_per_record"),
    ):
        assert index in rows.explain()
    assert RunItem.objects.count() == 1


def test_the_page_of_its_own_is_for_those_who_may_see_the_records(client):
    record = factories.record()
    assert client.get(own_page(record.pk)).status_code == 302
    client.force_login(factories.user())
    assert client.get(own_page(record.pk)).status_code == 403
    client.force_login(factories.member("Auditor"))
    assert client.get(own_page(record.pk)).status_code == 200
    assert client.post(own_page(record.pk)).status_code == 405
    for url in (own_page(999_999), own_page(2**70), own_page(1, "auth.user"), own_page(1, "no.such"), own_page(1, "x")):
        assert client.get(url).status_code == 404, url


def test_markup_in_a_value_is_shown_as_text(operator):
    record = factories.record()
    log("anna", "record.edited", record, changes={"town": ["<script>1</script>", "b"], "gone": ["a", "b"], "odd": 5})
    html = operator.get(page(record)).content.decode()
    assert "<script>1" not in html
    assert "&lt;script&gt;1" in html
