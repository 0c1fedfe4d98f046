"""Import of CSV and XLSX: preview, confirmation, and every bad file there is."""

import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from backoffice.exchange.files import archive as bounds
from backoffice.exchange.files import sheet
from backoffice.exchange.files.uploads import UploadFolder
from backoffice.results.models import Activity
from records.models import YourModel
from tests import factories
from tests.exchange.made_files import csv_of, line, xlsx_of

pytestmark = pytest.mark.django_db
URL = "/admin/records/yourmodel/import/"
CONFIRM = "/admin/records/yourmodel/process_import/"
DEMO = Path(__file__).parents[2] / "fixtures" / "demo_records.csv"
CSV, XLSX = "0", "1"


@pytest.fixture
def operator(client):
    client.force_login(factories.member("Operator"))
    return client


def upload(client, data, name="partners.csv", kind=CSV):
    return client.post(URL, {"import_file": SimpleUploadedFile(name, data), "format": kind, "resource": "0"})


def confirm(client, preview):
    return client.post(CONFIRM, preview.context["confirm_form"].initial, follow=True)


def problems(response):
    """Every sentence the page says about the file."""
    form = response.context.get("form")
    preview = response.context.get("preview")
    said = [message for errors in form.errors.values() for message in errors] if form else []
    return " | ".join(said + (preview.errors if preview else []))


def messages(response):
    return " ".join(str(message) for message in response.context["messages"])


class TestAGoodFile:
    def test_of_1500_real_rows_is_previewed_and_imported(self, operator):
        preview = upload(operator, DEMO.read_bytes())
        assert (preview.context["preview"].new, YourModel.objects.count()) == (1500, 0)
        done = confirm(operator, preview)
        assert "1500 new, 0 updated, 0 unchanged" in messages(done)
        assert YourModel.objects.filter(processed=False).count() == 1500
        assert YourModel.objects.get(reference="BP-00004").town == "'S-GRAVENHAGE"

    def test_imported_again_changes_nothing(self, operator):
        confirm(operator, upload(operator, DEMO.read_bytes()))
        again = upload(operator, DEMO.read_bytes())
        assert (again.context["preview"].changes, again.context["preview"].unchanged) == (0, 1500)
        assert "nothing to import" in again.content.decode()

    def test_shows_an_existing_reference_as_an_update_with_before_and_after(self, operator):
        factories.record(reference="R-1", role="buyer", name="Company", town="Berlin")
        html = upload(operator, csv_of(line(town="Bonn"))).content.decode()
        assert ">updated</span>" in html
        assert "<del>Berlin</del> <ins>Bonn</ins>" in html

    def test_asks_for_processing_of_what_changed_and_of_nothing_else(self, operator):
        changed = factories.processed(reference="R-1", role="buyer", name="Company", town="Berlin")
        same = factories.processed(reference="R-2", role="buyer", name="Company", town="")
        confirm(operator, upload(operator, csv_of(line(town="Bonn"), line(reference="R-2"))))
        changed.refresh_from_db()
        same.refresh_from_db()
        assert (changed.town, changed.processed, same.processed) == ("Bonn", False, True)
        assert changed.verdict

    def test_is_logged_with_file_and_counts_and_before_and_after(self, operator):
        made = factories.record(reference="R-1", role="buyer", name="Company", town="Berlin")
        confirm(operator, upload(operator, csv_of(line(town="Bonn"), line(reference="R-2"))))
        entry = Activity.objects.get(verb="record.imported")
        assert (entry.target, entry.details) == ("partners.csv", {"new": 1, "update": 1, "unchanged": 0, "refused": 0})
        edit = Activity.objects.get(verb="record.edited")
        assert edit.object_id == str(made.pk)
        assert edit.details == {"file": "partners.csv", "changes": {"town": ["Berlin", "Bonn"]}}

    def test_writes_nothing_before_it_is_confirmed(self, operator):
        upload(operator, csv_of(line()))
        assert not YourModel.objects.exists()
        assert not Activity.objects.filter(verb="record.imported").exists()

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_is_taken_with_and_without_a_byte_order_mark(self, operator, encoding):
        confirm(operator, upload(operator, csv_of(line(name="Österreich"), encoding=encoding)))
        assert YourModel.objects.get().name == "Österreich"

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_may_be_separated_by_comma_semicolon_or_tab(self, operator, delimiter):
        confirm(operator, upload(operator, csv_of(line(name="A, B; C"), delimiter=delimiter)))
        assert YourModel.objects.get().name == "A, B; C"

    def test_names_the_columns_it_ignores(self, operator):
        preview = upload(operator, csv_of([*line(), "x"], heading=(*YourModel.INPUTS, "source_notice")))
        assert preview.context["preview"].ignored == ["source_notice"]

    def test_may_be_a_workbook_whose_numbers_are_numbers(self, operator):
        row = line(tax_id=123456789, postal_code=1010.0)
        confirm(operator, upload(operator, xlsx_of(row), "partners.xlsx", XLSX))
        made = YourModel.objects.get()
        assert (made.tax_id, made.postal_code) == ("123456789", "1010")

    def test_may_have_blank_lines_and_still_counts_rows_as_a_spreadsheet_does(self, operator):
        data = csv_of(line(), [""] * 11, line(reference="R-2", role="wizard"))
        assert "Row 4, column role" in problems(upload(operator, data))


class TestABadFile:
    @pytest.mark.parametrize("column", YourModel.INPUTS)
    def test_with_a_missing_column_is_told_which_and_what_is_expected(self, operator, column):
        rest = [name for name in YourModel.INPUTS if name != column]
        said = problems(upload(operator, csv_of(["x"] * len(rest), heading=rest)))
        assert f"Missing in the first row: {column}." in said
        assert ", ".join(YourModel.INPUTS) in said

    def test_that_is_refused_leaves_the_columns_named_as_before(self, operator):
        named = ", ".join(YourModel.INPUTS)
        assert named in operator.get(URL).text
        for data, name in (
            (b"name\nx\n", "a.csv"),
            (b"", "a.csv"),
            (b"x", "a.exe"),
            (csv_of(line(role="pope")), "a.csv"),
        ):
            assert f'bo-mono">{named}<' in upload(operator, data, name).text, name

    def test_with_a_column_twice_is_told_which(self, operator):
        said = problems(upload(operator, csv_of([*line(), "x"], heading=(*YourModel.INPUTS, "name"))))
        assert "More than once in the first row: name." in said

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
    def test_in_another_encoding_is_told_which_are_taken(self, operator, encoding):
        said = problems(upload(operator, csv_of(line(name="Österreich"), encoding=encoding)))
        assert "not UTF-8" in said
        assert "with or without a byte order mark" in said

    def test_with_a_reference_twice_is_told_both_rows(self, operator):
        said = problems(upload(operator, csv_of(line(), line(reference="R-2"), line())))
        assert said == "Rows 2, 4, column reference: “R-1” may occur once in a file."

    def test_with_100_000_characters_in_a_cell_is_told_column_row_and_limit(self, operator):
        response = upload(operator, csv_of(line(name="x" * 100_000)))
        assert problems(response) == "Row 2, column name: the cell has 100,000 characters; at most 500 are taken."
        assert len(response.content) < 100_000

    def test_with_an_endless_cell_is_told_the_row(self, operator):
        assert "Row 2 has a cell of more than 131,072 characters" in problems(
            upload(operator, csv_of(line(name="x" * 200_000)))
        )

    def test_with_an_unknown_role_is_told_the_roles(self, operator):
        said = problems(upload(operator, csv_of(line(role="wizard"))))
        assert said == "Row 2, column role: “wizard” is not a role; it is one of supplier, buyer, customer."

    @pytest.mark.parametrize("column", ["reference", "name", "role"])
    def test_without_a_needed_value_is_told_row_and_column(self, operator, column):
        said = problems(upload(operator, csv_of(line(**{column: " "}))))
        assert said == f"Row 2, column {column}: a value is needed."

    def test_with_a_null_character_is_told_where(self, operator):
        assert "Row 2, column name: the cell has a null character." in problems(
            upload(operator, csv_of(line(name="a\x00b")))
        )

    def test_that_is_empty_is_told_so(self, operator):
        assert "empty" in problems(upload(operator, b"")).lower()
        assert "empty" in problems(upload(operator, b"\n\n")).lower()

    def test_with_a_heading_only_is_told_so(self, operator):
        assert "no rows below" in problems(upload(operator, csv_of()))

    def test_with_too_many_cells_in_a_row_is_told_the_row(self, operator):
        assert "Row 2 has 12 cells" in problems(upload(operator, csv_of([*line(), "x"])))

    def test_with_a_quotation_mark_that_is_never_closed_is_told_the_row(self, operator):
        assert "quotation mark" in problems(upload(operator, csv_of(line()) + b'"R-2,buyer,never closed\n'))

    def test_with_more_rows_than_are_taken_is_told_the_bound(self, operator, monkeypatch):
        monkeypatch.setattr(sheet, "MAX_ROWS", 1)
        assert "more than 1 rows" in problems(upload(operator, csv_of(line(), line(reference="R-2"))))

    def test_larger_than_is_taken_is_told_the_bound(self, operator, monkeypatch):
        monkeypatch.setattr("backoffice.exchange.forms.MAX_BYTES", 2**20)
        assert "at most 1 MB are taken" in problems(upload(operator, b"x" * (2**20 + 1)))

    def test_of_another_kind_is_refused_by_its_name(self, operator):
        assert "“exe”" in problems(upload(operator, b"MZ", "partners.exe"))

    @pytest.mark.parametrize("data", [b"no workbook", b"\xd0\xcf\x11\xe0old Excel", b"PK\x03\x04broken"])
    def test_that_only_claims_to_be_a_workbook_is_told_so(self, operator, data):
        assert "not an XLSX workbook" in problems(upload(operator, data, "partners.xlsx", XLSX))

    def test_that_is_a_workbook_uploaded_as_csv_is_told_what_to_choose(self, operator):
        assert "choose xlsx" in problems(upload(operator, xlsx_of(line())))

    def test_that_is_some_other_archive_is_told_so(self, operator):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("readme.txt", "hello")
        assert "not an XLSX workbook" in problems(upload(operator, data.getvalue(), "partners.xlsx", XLSX))

    def test_that_is_a_damaged_workbook_is_told_so(self, operator):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("[Content_Types].xml", "<nothing")
        assert "damaged" in problems(upload(operator, data.getvalue(), "partners.xlsx", XLSX))

    def test_that_unpacks_to_an_enormous_one_is_refused_before_it_is_unpacked(self, operator, monkeypatch):
        monkeypatch.setattr(bounds, "MAX_UNPACKED", 2**20)
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", b"0" * (6 * 2**20))
        assert "unpacks to 6.0 MB" in problems(upload(operator, data.getvalue(), "partners.xlsx", XLSX))

    def test_that_claims_a_row_beyond_the_last_ends_there(self, operator):
        sheet = zipfile.ZipFile(io.BytesIO(xlsx_of(line())))
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name in sheet.namelist():
                content = sheet.read(name)
                if name.endswith("sheet1.xml"):
                    content = re.sub(rb'<row r="2"', b'<row r="99999999999"', content)
                archive.writestr(name, content)
        assert "no rows below" in problems(upload(operator, data.getvalue(), "partners.xlsx", XLSX))

    def test_offers_no_confirmation(self, operator):
        assert "confirm_form" not in upload(operator, csv_of(line(role="wizard"))).context

    def test_has_its_problems_counted_and_the_first_hundred_shown(self, operator):
        preview = upload(operator, csv_of(*(line(reference=f"R-{n}", role="?") for n in range(250)))).context["preview"]
        assert (preview.error_count, len(preview.errors), preview.errors_left) == (250, 100, 150)


class TestConfirming:
    def test_a_second_time_says_that_the_preview_is_gone(self, operator):
        preview = upload(operator, csv_of(line()))
        confirm(operator, preview)
        assert "no longer there" in messages(confirm(operator, preview))
        assert YourModel.objects.count() == 1

    @pytest.mark.parametrize("name", ["../../secret_key", "secret_key", "", "0" * 32])
    def test_a_made_up_name_reads_and_deletes_nothing(self, operator, name, settings, tmp_path):
        settings.VAR = tmp_path
        (tmp_path / "secret_key").write_text("secret")
        data = {"import_file_name": name, "original_file_name": "x", "format": CSV, "resource": "0"}
        assert "no longer there" in messages(operator.post(CONFIRM, data, follow=True))
        assert (tmp_path / "secret_key").exists()

    def test_what_no_longer_fits_imports_nothing_and_says_why(self, operator):
        preview = upload(operator, csv_of(line(), line(reference="R-2")))
        upload_path = UploadFolder(name=preview.context["confirm_form"].initial["import_file_name"]).path
        upload_path.write_bytes(csv_of(line(), line(reference="R-2", role="wizard")))
        assert "Nothing was imported. Row 3, column role" in messages(confirm(operator, preview))
        assert not YourModel.objects.exists()

    def test_leaves_no_file_behind_and_neither_does_a_bad_one(self, operator, settings, tmp_path):
        settings.VAR = tmp_path
        confirm(operator, upload(operator, csv_of(line())))
        upload(operator, csv_of(line(role="wizard")))
        upload(operator, b"")
        assert not list(UploadFolder().folder.iterdir())

    def test_is_possible_for_a_day(self, operator, settings, tmp_path):
        settings.VAR = tmp_path
        upload(operator, csv_of(line(reference="OLD")))
        old = list(UploadFolder().folder.iterdir())
        for path in old:
            os.utime(path, (0, 0))
        upload(operator, csv_of(line()))
        assert not set(old) & set(UploadFolder().folder.iterdir())


class TestPermissions:
    ALL = ("import_yourmodel", "add_yourmodel", "change_yourmodel")

    @pytest.mark.parametrize("missing", ALL)
    def test_import_takes_its_own_and_those_to_add_and_change(self, client, missing):
        granted = [f"records.{name}" for name in (*self.ALL, "view_yourmodel") if name != missing]
        client.force_login(factories.user(*granted))
        assert client.get(URL).status_code == 403
        assert upload(client, csv_of(line())).status_code == 403
        assert client.post(CONFIRM, {}).status_code == 403

    @pytest.mark.parametrize("group", ["Auditor", "Scheduler"])
    def test_neither_auditors_nor_schedulers_import(self, client, group):
        client.force_login(factories.member(group))
        assert client.get(URL).status_code == 403
        assert URL not in client.get("/admin/records/yourmodel/").content.decode()
