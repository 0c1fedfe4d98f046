"""Workbooks: what a person sees in a cell is what is imported, and what nobody can know is refused by its place."""

import contextlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from backoffice.exchange.columns.layout import Layout
from backoffice.exchange.files.formats import XlsxFile
from backoffice.exchange.files.sheet import FileRefusedError
from records.exchange import RecordResource
from records.models import YourModel
from tests.exchange.made_files import (
    MAIN,
    lying,
    members_of,
    padded,
    row_of,
    text_cell,
    workbook_of,
    xlsx_of,
    zipped,
)
from tests.properties import tries

pytestmark = pytest.mark.once

LAYOUT = Layout(RecordResource)
TOWN = YourModel.INPUTS.index("town")


def town(data):
    [(_line, cells)] = XlsxFile(YourModel.INPUTS).create_dataset(data).rows
    return cells[TOWN]


def refusal(data):
    with pytest.raises(FileRefusedError) as caught:
        XlsxFile(YourModel.INPUTS).create_dataset(data)
    return str(caught.value)


def number(value, code="", **parts):
    """A workbook with a number in E2, under a number format."""
    code = code.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return workbook_of(
        row_of(town=f'<c r="E2" s="1"><v>{value}</v></c>'),
        formats=f'<numFmt numFmtId="164" formatCode="{code}"/>',
        styles='<xf numFmtId="0"/><xf numFmtId="164"/>',
        **parts,
    )


class TestANumber:
    @pytest.mark.parametrize(
        ("value", "code", "seen"),
        [
            ("1067", "00000", "01067"),
            ("491712345678", '"+"0', "+491712345678"),
            ("491712345678", r"\+0", "+491712345678"),
            ("491712345678", "+0", "+491712345678"),
            ("1067", '"D-"00000', "D-01067"),
            ("123456789", "000-000-000", "123-456-789"),
            ("1234567891", "000-000-000", "1234-567-891"),
            ("5", "[$-407]00000", "00005"),
            ("5", "[$€-2]0", "€5"),
            ("7", "00000;-00000", "00007"),
            ("-7", "00000;-00000", "-00007"),
            ("-7", "00000", "-00007"),
            ("0", '00;-00;"0"0', "00"),
            ("1067.6", "00000", "01068"),
            ("1.067E3", "00000", "01067"),
            ("1067", "_-00000_-", " 01067 "),
            ("1067", "0€", "1067€"),
        ],
    )
    def test_under_a_format_of_zeros_and_literals_is_what_a_person_sees(self, value, code, seen):
        assert town(number(value, code)) == seen

    @pytest.mark.parametrize(
        "code", ["0.00", "#,##0", "0%", "0.0E+00", "# ?/?", "00/00", "[Red]0", "[<5]00;000", "0;;", '0 "a', "@", ""]
    )
    def test_under_any_other_format_is_the_number(self, code):
        assert town(number("1067", code)) == "1067"

    @pytest.mark.parametrize(
        ("value", "seen"),
        [("1067", "1067"), ("1067.0", "1067"), ("0.5", "0.5"), ("-3", "-3"), ("4.9301234567891E+13", "49301234567891")],
    )
    def test_under_none_is_its_digits(self, value, seen):
        assert town(workbook_of(row_of(town=f"<c><v>{value}</v></c>"))) == seen

    @pytest.mark.parametrize(
        ("value", "code", "seen"),
        [
            ("45292", "yyyy-mm-dd", "2024-01-01"),
            ("45292.5", "dd.mm.yyyy hh:mm", "2024-01-01T12:00:00"),
            ("0.5", "hh:mm", "12:00:00"),
            ("1.5", "[h]:mm", "1 day, 12:00:00"),
        ],
    )
    def test_that_is_a_date_or_time_is_written_as_iso_has_it(self, value, code, seen):
        assert town(number(value, code)) == seen

    def test_that_is_a_date_counts_from_1904_where_the_workbook_does(self):
        assert town(number("43830", "yyyy-mm-dd", properties='<workbookPr date1904="1"/>')) == "2024-01-01"

    @pytest.mark.parametrize("value", ["x", "INF", "NaN", "1E+999", "9" * 5_000])
    def test_that_is_none_is_refused_by_its_place(self, value):
        assert "Cell E2 has a number or date that cannot be read" in refusal(number(value))

    def test_that_is_no_date_is_refused_by_its_place(self):
        assert "Cell E2 has a number or date that cannot be read" in refusal(number("1E+30", "yyyy-mm-dd"))


class TestACell:
    @pytest.mark.parametrize(
        ("cell", "seen"),
        [
            ('<c r="E2"><f>1+1</f><v>2</v></c>', "2"),
            ('<c r="E2" t="str"><f>""</f><v></v></c>', ""),
            ('<c r="E2" t="str"><f>A1</f><v>a_x000D_b</v></c>', "a\rb"),
            ('<c r="E2" t="b"><v>1</v></c>', "TRUE"),
            ('<c r="E2" t="d"><v>2024-01-01T00:00:00</v></c>', "2024-01-01"),
            ('<c r="E2" s="7"/>', ""),
            ('<c r="E2" t="inlineStr"><is><r><t>Ber</t></r><r><t>lin</t></r><rPh><t>x</t></rPh></is></c>', "Berlin"),
            ('<c r="E2" t="s"><v>1</v></c>', "Köln am_x000D_"),
        ],
    )
    def test_is_read_as_it_is_shown(self, cell, seen):
        strings = "<si><t/></si><si><r><t>Köln</t></r><r><t> am</t></r><t>_x005F_x000D_</t><rPh><t>x</t></rPh></si>"
        assert town(workbook_of(row_of(town=cell), strings=strings)) == seen

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ("<f>1+1</f>", "Cell E2 is a formula without a stored result"),
            ("<f>1+1</f><v/>", "Cell E2 is a formula without a stored result"),
            ('<f t="shared" si="0"/>', "Cell E2 is a formula without a stored result"),
        ],
    )
    @pytest.mark.parametrize("kind", ["n", "s", "e", "b"])
    def test_whose_formula_has_no_result_is_refused_by_its_place(self, cell, said, kind):
        assert said in refusal(workbook_of(row_of(town=f'<c r="E2" t="{kind}">{cell}</c>')))

    def test_of_a_workbook_that_a_library_wrote_with_a_formula_is_refused_by_its_place(self):
        book, data = Workbook(), io.BytesIO()
        book.active.append(list(YourModel.INPUTS))
        book.active.append(["R-1", "buyer", "=A2"])
        book.save(data)
        assert "Cell C2 is a formula without a stored result" in refusal(data.getvalue())

    def test_that_shows_an_error_is_refused_by_its_place(self):
        cell = '<c r="E2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
        assert "Cell E2 shows the error #DIV/0!" in refusal(workbook_of(row_of(town=cell)))

    @pytest.mark.parametrize("cell", ['<c r="L2"><f>1+1</f></c>', '<c r="L2" t="e"><v>#N/A</v></c>'])
    def test_of_a_column_that_is_not_imported_may_be_unreadable(self, cell):
        members = members_of(row_of().replace("</row>", f"{cell}</row>"))
        sheet = members["xl/worksheets/sheet1.xml"].replace("</row>", f"{text_cell('notes')}</row>", 1)
        assert town(zipped({**members, "xl/worksheets/sheet1.xml": sheet})) == ""

    @pytest.mark.parametrize(("value", "seen"), [("0", "FALSE"), ("false", "FALSE"), (" 1 ", "TRUE"), ("true", "TRUE")])
    def test_that_is_a_truth_is_that_truth(self, value, seen):
        assert town(workbook_of(row_of(town=f'<c r="E2" t="b"><v>{value}</v></c>'))) == seen

    @pytest.mark.parametrize(("kind", "value", "said"), [("b", "x", "Cell E2 is neither"), ("s", "-1", "is damaged")])
    def test_of_which_nobody_knows_what_it_holds_is_refused(self, kind, value, said):
        cell = f'<c r="E2" t="{kind}"><v>{value}</v></c>'
        assert said in refusal(workbook_of(row_of(town=cell), strings="<si><t>the last</t></si>"))

    @pytest.mark.parametrize("ref", ["E2:E3", "A2:C2", "K9:L9", "C1:C2", "A1:XFD1"])
    def test_that_is_merged_is_refused_by_its_place(self, ref):
        after = f'<mergeCells><mergeCell ref="L1:M1"/><mergeCell ref="{ref}"/></mergeCells>'
        assert f"Cells {ref} are merged" in refusal(workbook_of(row_of(), after=after))

    @pytest.mark.parametrize("ref", ["L1:M20", "E2", "E2:E2"])
    def test_beside_the_imported_columns_may_be_merged(self, ref):
        assert town(workbook_of(row_of(), after=f'<mergeCells><mergeCell ref="{ref}"/></mergeCells>')) == ""

    def test_longer_than_a_spreadsheet_takes_is_refused(self):
        long = row_of(town=text_cell("a" * 40_000).replace("<c ", '<c r="E2" '))
        assert "Cell E2 has more than 32,767 characters" in refusal(workbook_of(long))
        assert "more than 32,767 characters" in refusal(padded(workbook_of(row_of(town=text_cell("a" * 5_000_000)))))


class TestAWorkbook:
    def test_in_the_strict_form_or_with_prefixes_is_read_as_well(self):
        members = members_of(row_of(town=text_cell("Bonn")))
        strict = {
            name: text.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main") for name, text in members.items()
        }
        assert town(zipped(strict)) == "Bonn"
        sheet = members["xl/worksheets/sheet1.xml"].replace("xmlns=", "xmlns:x=")
        for tag in ("worksheet", "sheetData", "row", "c", "is", "t"):
            for end in (" ", ">"):
                sheet = sheet.replace(f"<{tag}{end}", f"<x:{tag}{end}").replace(f"</{tag}{end}", f"</x:{tag}{end}")
        assert town(zipped({**members, "xl/worksheets/sheet1.xml": sheet})) == "Bonn"

    def test_whose_names_have_other_slashes_and_letters_is_read_as_well(self):
        members = members_of(row_of(town=text_cell("Bonn")))
        odd = {name.replace("/", "\\").replace("sheet1", "Sheet1"): text for name, text in members.items()}
        assert town(zipped(odd)) == "Bonn"

    def test_is_read_from_its_active_sheet(self):
        book, data = Workbook(), io.BytesIO()
        second = book.create_sheet("second")
        for sheet, place in ((book.active, "Bonn"), (second, "Köln")):
            sheet.append(list(YourModel.INPUTS))
            sheet.append(["R-1", "buyer", "Company", "", place])
        book.active = second
        book.save(data)
        assert town(data.getvalue()) == "Köln"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"\xd0\xcf\x11\xe0old Excel", "older .xls"),
            (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "it has a password"),
            (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "Save it from the spreadsheet"),
            (zipped({"[Content_Types].xml": "", "xl/workbook.bin": ""}), ".xlsb"),
            (zipped({str(n): "" for n in range(10_001)}), "archive of many files"),
            (b"<html><table></table></html>", "not an XLSX workbook"),
            (b"", "not an XLSX workbook"),
        ],
    )
    def test_of_another_kind_is_refused_by_its_name(self, data, said):
        assert said in refusal(data)

    def test_with_a_password_on_the_archive_is_told_so(self):
        data = bytearray(workbook_of(row_of()))
        struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 8, 1)
        assert "has a password" in refusal(bytes(data))

    @pytest.mark.parametrize("size", [10, 10_000])
    def test_with_a_size_that_is_not_true_is_damaged(self, size):
        assert "damaged" in refusal(lying(workbook_of(row_of()), "xl/worksheets/sheet1.xml", size))

    @pytest.mark.parametrize("part", [name for name in members_of("") if name.startswith("xl/")])
    @pytest.mark.parametrize(
        "content", [None, "", "<", "\xff", "<a b='1' b='2'/>", '<?xml version="1.0"?><!DOCTYPE a><a/>']
    )
    def test_with_a_missing_or_broken_part_is_refused_in_words(self, part, content):
        members = members_of(row_of())
        members |= {part: content}
        assert refusal(zipped({name: text for name, text in members.items() if text is not None}))

    @given(st.integers(0, 2_000), st.binary(min_size=1, max_size=8))
    @settings(max_examples=tries(300), deadline=None)
    def test_with_any_bytes_changed_is_read_or_refused_in_words(self, place, other):
        data = bytearray(xlsx_of(["R-1", "buyer", "Company"]))
        data[place % len(data) : place % len(data) + len(other)] = other
        with contextlib.suppress(FileRefusedError):
            XlsxFile(YourModel.INPUTS).create_dataset(bytes(data))
