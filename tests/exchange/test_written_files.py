"""Files that are written come back as they were: no text is lost or changed on the way."""

import io
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backoffice.exchange import export
from backoffice.exchange.columns.layout import Layout
from backoffice.exchange.comparison import values_of
from backoffice.exchange.files.cell_text import escaped, unescaped
from backoffice.exchange.files.formats import CsvFile, XlsxFile
from backoffice.results.values.spreadsheet import disarm
from records.exchange import RecordResource
from records.models import YourModel
from tests.properties import tries

pytestmark = pytest.mark.once

LAYOUT = Layout(RecordResource)

# What a database stores: no half of a pair, and no null character.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(TEXTS)
@example("_x000D_")
@example("_x005F_x000D_")
@example("a\r\n\x1f\ufffe_x0041_")
def test_an_escaped_text_is_unescaped_as_it_was(text):
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize("text", ["_xD800_", "_x12_", "x000D_", "_x000G_"])
def test_what_only_looks_like_an_escape_stays(text):
    assert unescaped(text) == text


@pytest.mark.parametrize(("kind", "file"), [("csv", CsvFile), ("xlsx", XlsxFile)])
class TestWhatIsExported:
    @given(st.lists(st.lists(TEXTS, min_size=8, max_size=8), min_size=1, max_size=4))
    @settings(max_examples=tries(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @example([["=1+1", "+49 30 1", "'=1", "''+1", "'S-GRAVENHAGE", " a ", "\r", "\n"]])
    @example([["#N/A", "#DIV/0!", "_x000D_", "\x1f", "\ufffe", "\ufeff", '"', "007"]])
    @example([["=", "#", "'#N/A", "a\r\nb", "＝1", "\t", "'\t", ""]])
    def test_comes_back_as_it_was_whatever_it_says(self, kind, file, rows):
        given_rows = [["R-1", "buyer", "Company", *cells] for cells in rows]
        from_file = [cells for _line, cells in file(YourModel.INPUTS).create_dataset(written(kind, given_rows)).rows]
        assert [values_of(LAYOUT, [(2, cells)]) for cells in from_file] == [[row] for row in given_rows]


def written(kind, rows):
    out = io.BytesIO()
    lines = [list(YourModel.INPUTS), *rows]
    export.write_csv(out, lines) if kind == "csv" else export.write_xlsx(out, lines, "records")
    return out.getvalue()


def test_a_csv_begins_with_the_mark_by_which_excel_knows_utf_8():
    assert written("csv", [["Ä"]]).startswith(b"\xef\xbb\xbf")


def test_a_cell_that_a_spreadsheet_would_run_stands_in_a_workbook_as_it_is_and_in_csv_behind_an_apostrophe():
    assert b"<t>=1+1</t>" in sheet_xml(written("xlsx", [["=1+1"]]))
    assert disarm("=1+1").encode() in written("csv", [["=1+1"]])


def sheet_xml(data):
    return zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
