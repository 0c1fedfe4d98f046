"""Export: what the list shows, safe to open in a spreadsheet, and the same when it comes back."""

import csv
import io

import openpyxl
import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import localtime

from backoffice.exchange import export
from backoffice.results.models import Activity
from backoffice.results.values.spreadsheet import disarm, rearm
from backoffice.runs.seam import start
from backoffice.testing import work_off
from records.exchange import RecordResource
from records.models import YourModel
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/records/yourmodel/"
URL = f"{LIST}export/"
CSV, XLSX = "0", "1"
DANGEROUS = ["=1+1", "+49 30 1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''+1", "＝1"]


def asked(kind=CSV, columns=YourModel.INPUTS, **fields):
    return {f"recordresource_{column}": "on" for column in columns} | {"format": kind, "resource": "0"} | fields


def content(response):
    return b"".join(response.streaming_content)


def sheet_rows(response):
    head, *lines = openpyxl.load_workbook(io.BytesIO(content(response))).active.iter_rows(values_only=True)
    return [dict(zip(head, ["" if cell is None else cell for cell in line], strict=True)) for line in lines]


def rows(response):
    return list(csv.DictReader(io.StringIO(content(response).decode("utf-8-sig"))))


def test_has_all_records_and_the_chosen_columns(operator):
    made = factories.processed(email="nobody")
    columns = ("reference", "verdict", "issues", "issues_in_words", "processed")
    [row] = rows(operator.post(URL, asked(columns=columns)))
    assert row.pop("issues_in_words") == f"E-mail: {made.issues[0]['message']}"
    assert row == {"reference": made.reference, "verdict": "invalid", "issues": "email.no_at", "processed": "yes"}


@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_says_of_a_verdict_what_the_list_does(operator, kind, monkeypatch, django_assert_max_num_queries):
    """Of what was edited since, or whose last check failed, the old one as of when; a code never."""
    right, edited, failing, accepted, _fresh = (factories.processed(phone="030 1234567") for _ in range(5))
    YourModel.objects.filter(pk=edited.pk).update(processed=False)
    YourModel.objects.filter(pk=_fresh.pk).update(processed=False, processed_at=None, verdict="")
    YourModel.objects.filter(pk=accepted.pk).update(accepted={"phone.spelling": {}}, verdict="valid")
    with monkeypatch.context() as broken:
        broken.setattr(YourModel, "process", lambda self: 1 / 0)
        work_off(start(YourModel.objects.filter(pk=failing.pk), "records.tasks.process_model_instance"))
    with django_assert_max_num_queries(12):
        answer = operator.post(URL, asked(kind, columns=("verdict", "name")))
    told = [row["verdict"] for row in (rows(answer) if kind == CSV else sheet_rows(answer))]
    when = f"{localtime(right.processed_at):%Y-%m-%d %H:%M}"
    assert told == [
        "correctable",
        f"not checked yet (correctable as of {when})",
        f"last check failed (correctable as of {when})",
        "valid, 1 accepted",
        "",
    ]


def test_respects_filter_and_search(operator):
    wanted = factories.record(country="FR", name="Needle")
    factories.record(country="DE", name="Needle")
    factories.record(country="FR")
    found = rows(operator.post(f"{URL}?country=FR&q=needle", asked()))
    assert [row["reference"] for row in found] == [wanted.reference]


def test_of_a_selection_has_only_that(operator):
    chosen, _ = factories.record(), factories.record()
    data = {"action": "export_selected", ACTION_CHECKBOX_NAME: [chosen.pk], "index": "0"}
    page = operator.post(LIST, data)
    assert page.context["record_count"] == 1
    items = page.context["form"]["export_items"].value()
    found = rows(operator.post(page.context["export_url"], asked(export_items=items)))
    assert [row["reference"] for row in found] == [chosen.reference]


def test_of_all_that_match_goes_on_as_the_filter_and_not_as_numbers(operator):
    made = factories.record(country="FR")
    data = {"action": "export_selected", ACTION_CHECKBOX_NAME: [made.pk], "select_across": "1", "index": "0"}
    assert operator.post(f"{LIST}?country=FR", data)["Location"] == f"{URL}?country=FR"


def test_of_a_filter_that_does_not_exist_goes_back_to_the_list_which_refuses_it(operator):
    back = operator.post(f"{URL}?nonsense__x=1", asked())["Location"]
    assert back == f"{LIST}?nonsense__x=1"
    assert operator.get(back).status_code == 400


@pytest.mark.parametrize("items", ["x", "1;2", ",".join(["1"] * 10_001)])
def test_of_an_unreadable_selection_says_so(operator, items):
    page = operator.post(URL, asked(export_items=items))
    assert page.context["form"].errors["export_items"]


def test_of_ids_beyond_the_database_finds_none(operator):
    factories.record()
    assert rows(operator.post(URL, asked(export_items=f"{2**63},{2**70},{2**62}"))) == []


def test_of_no_column_at_all_says_so(operator):
    assert "at least 1" in str(operator.post(URL, asked(columns=())).context["form"].errors)


@pytest.mark.parametrize("value", DANGEROUS)
def test_no_cell_starts_as_a_formula_and_it_comes_back_as_it_was(value):
    assert disarm(value)[0] == "'"
    assert rearm(disarm(value)) == value


@pytest.mark.parametrize("value", ["", "'S-GRAVENHAGE", "48147", "a=b", " =x"])
def test_other_cells_are_left_alone(value):
    assert disarm(value) == rearm(value) == value


@pytest.mark.parametrize(("kind", "name"), [(CSV, "back.csv"), (XLSX, "back.xlsx")])
def test_comes_back_without_a_change(operator, kind, name):
    for value in [*DANGEROUS, "'S-GRAVENHAGE", "Ελλάδα", 'say "hi", twice', "007"]:
        if kind == XLSX and "\r" in value:
            continue  # XLSX itself writes a carriage return as a line feed
        factories.record(name="Company", town=value, phone="+49 25191797-193")
    data = content(operator.post(URL, asked(kind)))
    page = operator.post(f"{LIST}import/", {"import_file": SimpleUploadedFile(name, data), "format": kind})
    preview = page.context["preview"]
    assert (preview.errors, preview.changes, preview.unchanged) == ([], 0, YourModel.objects.count())


def test_as_a_workbook_has_text_in_every_cell(operator):
    factories.record(town="=1+1", postal_code="007")
    sheet = openpyxl.load_workbook(io.BytesIO(content(operator.post(URL, asked(XLSX))))).active
    values = dict(zip(*[[cell.value for cell in row] for row in sheet.iter_rows()], strict=True))
    assert (values["town"], values["postal_code"]) == ("=1+1", "007")
    assert {cell.data_type for cell in sheet[2] if cell.value} == {"s"}


def test_as_a_workbook_is_bounded_and_says_what_to_do(operator, monkeypatch):
    monkeypatch.setattr(export, "XLSX_MAX_ROWS", 1)
    factories.record(), factories.record()
    assert "choose csv, or filter" in str(operator.post(URL, asked(XLSX)).context["form"].errors)


def test_asks_one_question_of_the_records_however_many_they_are(django_assert_num_queries):
    YourModel.objects.bulk_create([YourModel(reference=f"E{n}", name="n") for n in range(5_000)])
    with django_assert_num_queries(1):
        _, count = export.write("csv", YourModel.objects.order_by("reference"), RecordResource(), ["reference"])
    assert count == 5_000


def test_is_logged_with_count_columns_and_filter(operator):
    factories.record(country="FR")
    content(operator.post(f"{URL}?country=FR", asked(columns=["reference"])))
    details = Activity.objects.get(verb="record.exported").details
    assert details == {"count": 1, "columns": ["reference"], "filter": "country=FR", "selected": 0}


def test_offers_csv_first(operator):
    assert operator.get(URL).context["form"]["format"].value() == CSV


def test_is_open_to_auditors_and_closed_without_the_permission(client):
    client.force_login(factories.member("Auditor"))
    factories.record()
    assert len(rows(client.post(URL, asked()))) == 1
    client.force_login(factories.user("records.view_yourmodel"))
    assert client.get(URL).status_code == 403
    assert client.post(URL, asked()).status_code == 403
    data = {"action": "export_selected", ACTION_CHECKBOX_NAME: [YourModel.objects.get().pk], "index": "0"}
    assert "export" not in client.post(LIST, data).get("Location", "")


def test_its_columns_are_called_as_on_other_pages(operator):
    labels = {each.name: each.label for each in operator.get(URL).context["form"]}
    wanted = {"tax_id": "Tax ID", "email": "E-mail", "postal_code": "Postal code", "issues_in_words": "Issues in words"}
    assert {name: labels[f"recordresource_{name}"] for name in wanted} == wanted
