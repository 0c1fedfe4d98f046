"""Files that people and attackers upload: plain ones, and workbooks written part by part, as no library writes them."""

import csv
import io
import random
import struct
import zipfile

from openpyxl import Workbook

from records.models import YourModel

INPUTS = YourModel.INPUTS
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def line(**cells):
    defaults = {"reference": "R-1", "role": "buyer", "name": "Company", "country": "DE"}
    return [(defaults | cells).get(column, "") for column in INPUTS]


def csv_of(*rows, heading=INPUTS, encoding="utf-8", delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([heading, *rows])
    return text.getvalue().encode(encoding)


def xlsx_of(*rows, heading=INPUTS):
    book, data = Workbook(), io.BytesIO()
    for row in (heading, *rows):
        book.active.append(list(row))
    book.save(data)
    return data.getvalue()


def zipped(members, pairs=()):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*members.items(), *pairs]:
            archive.writestr(name, content)
    return data.getvalue()


def members_of(sheet_data, *, after="", strings="", formats="", styles='<xf numFmtId="0"/>', properties=""):
    """The parts of a workbook: `sheet_data` are its rows, `after` what follows them."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="{KIND.removesuffix("spreadsheetml.")}package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}sharedStrings+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{KIND}styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{properties}'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{OFFICE}/styles" Target="/xl/styles.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="22"/></cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{HEADING}{sheet_data}</sheetData>'
        f"{after}</worksheet>",
    }
    return {name: content if name.startswith("[") else DECLARATION + content for name, content in parts.items()}


def workbook_of(sheet_data, **parts):
    return zipped(members_of(sheet_data, **parts))


def text_cell(text):
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def row_of(number=2, **cells):
    """A good row, but for the columns that are given as XML: `town='<c r="E2"><v>1</v></c>'`."""
    defaults = {"reference": "R-1", "role": "buyer", "name": "Company"}
    written = [cells.get(column) or text_cell(defaults.get(column, "")) for column in INPUTS]
    return f'<row r="{number}">{"".join(written)}</row>'


HEADING = f'<row r="1">{"".join(map(text_cell, INPUTS))}</row>'


def lying(data, name, size):
    """The same archive, in which `name` claims to unpack to `size` bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo(name)
    out = bytearray(data)
    directory = out.rindex(b"PK\x01\x02", 0, out.rindex(name.encode()))
    struct.pack_into("<L", out, directory + 24, size)
    struct.pack_into("<L", out, entry.header_offset + 22, size)
    return bytes(out)


def padded(data, size=299 * 1024):
    """With a picture, say, in it: what a bound on how far a file of its size may unpack does not see."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/media/a.png", random.Random(1).randbytes(max(size - len(data) - 300, 0)))
    return out.getvalue()


# --- Small files that would exhaust the web -------------------------------------------------------------------------

FILL = row_of()


def blanks_in_one_row():
    return workbook_of(f'<row r="2">{"<c/>" * 5_000_000}</row>')


def filled_cells_in_one_row():
    return workbook_of(f'<row r="2">{"<c><v>1</v></c>" * 950_000}</row>')


def filled_cells_in_rows():
    return workbook_of(f"<row>{'<c><v>1</v></c>' * 90}</row>" * 10_500)


def far_cells():
    return workbook_of("".join(f'<row r="{n}"><c r="CV{n}"><v>1</v></c></row>' for n in range(2, 20_000)))


def styles():
    return workbook_of(FILL, styles='<xf numFmtId="0"/>' * 750_000)


def formats():
    return workbook_of(FILL, formats="".join(f'<numFmt numFmtId="{n}" formatCode="0"/>' for n in range(110_000)))


def one_long_format():
    code = "&quot;" * 80_000
    return workbook_of(
        row_of(town='<c s="1"><v>1</v></c>'),
        formats=f'<numFmt numFmtId="164" formatCode="{code}"/>',
        styles='<xf numFmtId="0"/><xf numFmtId="164"/>',
    )


def strings():
    return workbook_of(FILL, strings="<si><t>abc</t></si>" * 750_000)


def one_string():
    return workbook_of(FILL, strings=f"<si><t>{'a' * 14_000_000}</t></si>")


def deep():
    return workbook_of(FILL, after="<a>" * 4_500_000)


def attributes():
    return workbook_of(f'<row r="2" {" ".join(f"a{n}=''" for n in range(110_000))}/>')


def entities():
    declared = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    members = members_of(row_of(town=text_cell("&e9;")))
    sheet = members["xl/worksheets/sheet1.xml"].removeprefix(DECLARATION)
    members["xl/worksheets/sheet1.xml"] = f'<!DOCTYPE w [<!ENTITY e0 "ha">{declared}]>{sheet}'
    return zipped(members)


def foreign_entity():
    members = members_of(row_of(town=text_cell("&e;")))
    sheet = members["xl/worksheets/sheet1.xml"].removeprefix(DECLARATION)
    members["xl/worksheets/sheet1.xml"] = f'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/hostname">]>{sheet}'
    return zipped(members)


def comment():
    return workbook_of(FILL, after=f"<!--{'-a' * 6_000_000}-->")


def twice():
    members = members_of(FILL)
    return zipped(members, [("XL/worksheets/sheet1.xml", members["xl/worksheets/sheet1.xml"])])


def too_small_a_size():
    return lying(blanks_in_one_row(), "xl/worksheets/sheet1.xml", 1_000)


def too_large_a_size():
    return lying(workbook_of(FILL), "xl/worksheets/sheet1.xml", 2**31)


def members():
    return zipped(members_of(FILL), [(f"{n}", "") for n in range(2_500)])


def far_columns():
    return workbook_of("".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 20_000)))


def rows_without_end():
    return workbook_of("<row/>" * 2_000_000 + FILL)


def merges():
    return workbook_of(FILL, after=f"<mergeCells>{'<mergeCell ref="XX1:XY9"/>' * 300_000}</mergeCells>")


def wide_heading_in_csv():
    return csv_of(line(), heading=[*INPUTS, *(f"c{n}" for n in range(30_000))])


def wide_heading_and_short_rows():
    rows = "".join(f"R{n}\n" for n in range(20_000))
    return (",".join([*INPUTS, *(f"c{n}" for n in range(3_000))]) + "\n" + rows).encode()


def wide_heading_and_short_rows_in_a_workbook():
    book, data = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    sheet.append([*INPUTS, *(f"c{n}" for n in range(3_000))])
    for n in range(20_000):
        sheet.append([n])
    book.save(data)
    return data.getvalue()


def commas():
    return csv_of() + b"," * 290_000


def blank_lines():
    return csv_of(line()) + b"\n" * 290_000


def wrong_rows():
    return csv_of() + b"a,b\n" * 19_000


def one_reference():
    return csv_of() + b"a,buyer,c\n" * 19_000


def good_rows():
    return csv_of() + b"".join(b"R%d,buyer,c\n" % n for n in range(18_000))


def good_rows_in_a_workbook():
    return workbook_of("".join(f'<row><c><v>{n}</v></c><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
                               for n in range(18_000)), strings="<si><t>buyer</t></si><si><t>c</t></si>")  # fmt: skip


def quotes():
    return csv_of() + b'"' * 290_000


SMALL_AND_HEAVY = {
    made.__name__: made
    for made in (
        *(
            blanks_in_one_row,
            filled_cells_in_one_row,
            filled_cells_in_rows,
            far_cells,
            styles,
            formats,
            one_long_format,
            strings,
        ),
        *(one_string, deep, attributes, entities, foreign_entity, comment, twice, too_small_a_size, too_large_a_size),
        *(members, far_columns, rows_without_end, merges, wide_heading_in_csv, wide_heading_and_short_rows),
        *(wide_heading_and_short_rows_in_a_workbook, commas, blank_lines, wrong_rows, one_reference, good_rows),
        *(good_rows_in_a_workbook, quotes),
    )
}
