"""Import of CSV and XLSX: preview and confirmation."""

import os
from pathlib import Path

import pytest

from backoffice.exchange.files.uploads import UploadFolder
from backoffice.results.models import Activity
from records.models import YourModel
from tests import factories
from tests.exchange.importing import CONFIRM, CSV, URL, XLSX, confirm, messages, problems, upload
from tests.exchange.made_files import csv_of, line, xlsx_of

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[2] / "fixtures" / "demo_records.csv"


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
        assert "<del>Berlin</del>" in html
        assert "<ins>Bonn</ins>" in html

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
