"""Every bad file there is, uploaded: what is wrong is said by its place, and nothing is imported."""

import io
import re
import zipfile

import pytest

from backoffice.exchange.files import archive as bounds
from backoffice.exchange.files import sheet
from records.models import YourModel
from tests.exchange.importing import URL, XLSX, problems, upload
from tests.exchange.made_files import csv_of, line, xlsx_of

pytestmark = pytest.mark.django_db


@pytest.mark.spared
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
