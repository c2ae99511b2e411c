"""xls and ods go the way of xlsx: the same text, the same tables, the same protections."""

import datetime as dt
import io
import random
import zipfile

import pytest
import xlsxwriter
from places import REPO

from pipelines.intake.readers import FileRefused, sniffing

SHEETS = REPO / "tests" / "cases" / "sheets"
NAMES = ("投标人名称", "投标报价")

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
        "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
    }.items()
)
HIDDEN = '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>'


def cell(value, attributes=""):
    """One cell as LibreOffice writes it."""
    if value is None:
        return f"<table:table-cell {attributes}/>"
    kinds = {
        bool: ("boolean", "boolean-value"),
        int: ("float", "value"),
        float: ("float", "value"),
        dt.datetime: ("date", "date-value"),
        dt.time: ("time", "time-value"),
    }
    if type(value) not in kinds:
        return f'<table:table-cell office:value-type="string" {attributes}><text:p>{value}</text:p></table:table-cell>'
    kind, name = kinds[type(value)]
    text = str(value).lower()
    if kind in ("date", "time"):
        text = value.isoformat() if kind == "date" else value.strftime("PT%HH%MM%SS")
    return (
        f'<table:table-cell office:value-type="{kind}" office:{name}="{text}" {attributes}><text:p>shown</text:p>'
        "</table:table-cell>"
    )


def row(*cells, attributes=""):
    written = (one if str(one).startswith("<table:") else cell(one) for one in cells)
    return f"<table:table-row {attributes}>{''.join(written)}</table:table-row>"


def ods(*rows, hidden=(), manifest="", before=""):
    """An OpenDocument spreadsheet of one sheet, and a hidden one of the rows in ``hidden``."""
    sheets = f'<table:table table:name="开标记录">{"".join(rows)}</table:table>'
    if hidden:
        sheets += f'<table:table table:name="底稿" table:style-name="off">{"".join(hidden)}</table:table>'
    content = (
        f"{before}<office:document-content {NAMESPACES}><office:automatic-styles>{HIDDEN}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body></office:document-content>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return packed.getvalue()


def xlsx(*rows):
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("开标记录")
    for number, cells in enumerate(rows):
        for column, value in enumerate(cells):
            sheet.write(number, column, value)
    book.close()
    return content.getvalue()


def test_an_old_workbook_gives_what_the_new_one_gives(taking):
    taken = taking(SHEETS / "o1_old.xls", "workbook", header=NAMES, name="开标记录.xls")
    expected = taking(
        xlsx(
            ["虚构县某工程开标记录表"],
            ["标段编号：BD001"],
            ["序号", "投标人名称", "投标报价（元）", "递交时间", "备注"],
            [1, "甲公司", 100.5, dt.datetime.fromisoformat("2026-05-01 09:30")],
            [2, "乙公司", "99", dt.datetime.fromisoformat("2026-05-01 00:00")],
            [3, "丙公司", 97.25, None, "同一地址"],
            [4, "丁公司", 1234567, None, "同一地址"],
        ),
        "workbook",
        header=NAMES,
    )
    found = taken.records()
    formula = found[1].pop("投标报价（元）")
    assert formula.startswith("\x1f"), "what a formula last gave is no evidence"
    assert "C5" in formula
    wanted = expected.records()
    wanted[1].pop("投标报价（元）")
    assert found == wanted, "also the date, the merged cell, and the label above the table"
    assert [record["raw_row"] for record in taken.rows["rows"]] == [4, 5, 6, 7]
    assert "sheet 开标记录, row 9: 备注：以上报价均含税" in taken.notes
    assert "sheet 底稿 is hidden and was NOT read: 2 rows" in taken.notes


def test_an_old_workbook_that_counts_days_from_1904_has_the_same_dates(taking):
    old, older = (
        taking(SHEETS / name, "workbook", header=NAMES) for name in ("o1_old.xls", "o2_old_1904.xls")
    )
    assert old.records() == older.records()


def test_an_open_spreadsheet_gives_what_the_new_one_gives(taking):
    rows = [
        ["标段编号：BD001", None, "开标时间：9:30"],
        ["序号", "投标人名称", "投标报价（元）", "递交时间", "开标", "有效"],
        [1, "甲公司", 100.5, dt.datetime(2026, 5, 1, 9, 30, 1), dt.time(9, 30), True],  # noqa: DTZ001
        [2, "乙 公司", 99, dt.datetime(2026, 5, 1), None, False],  # noqa: DTZ001
        [None, "备注：均含税"],
    ]
    taken = taking(ods(*(row(*cells) for cells in rows)), "workbook", header=NAMES)
    expected = taking(xlsx(*rows), "workbook", header=NAMES)
    assert taken.records() == expected.records()
    assert taken.notes == expected.notes
    assert taken.records()[0]["递交时间"] == "2026-05-01 09:30:01"


def test_rows_and_cells_that_are_written_once_for_many_keep_their_place(taking):
    taken = taking(
        ods(
            row("投标人名称", "投标报价"),
            row("甲公司", cell(7, 'table:number-columns-repeated="2"')),
            row(attributes='table:number-rows-repeated="3"'),
            row("乙公司", 5, attributes='table:number-rows-repeated="2"'),
            row(
                cell(None, 'table:number-columns-repeated="16384"'),
                attributes='table:number-rows-repeated="1048000"',
            ),
        ),
        "workbook",
        header=NAMES,
    )
    assert [record["raw_row"] for record in taken.rows["rows"]] == [2, 6, 7]
    assert taken.records()[0]["column:C"] == "7"


def test_formulas_errors_and_long_numbers_of_an_open_spreadsheet_cost_their_cells(taking):
    taken = taking(
        ods(
            row("投标人名称", "投标报价", "备注", "代码"),
            row("甲公司", cell(2, 'table:formula="of:=1+1"'), "x", 12345678901234567),
            row("乙公司", cell("#N/A", 'calcext:value-type="error"'), "y"),
        ),
        "workbook",
        header=NAMES,
    )
    first, second = taken.records()
    assert all(text.startswith("\x1f") for text in (first["投标报价"], first["代码"], second["投标报价"]))
    assert (first["备注"], second["备注"]) == ("x", "y")


def test_a_merged_cell_of_an_open_spreadsheet_counts_for_each_row(taking):
    taken = taking(
        ods(
            row("标段", "投标人名称", "投标报价"),
            row(cell("BD1", 'table:number-rows-spanned="2" table:number-columns-spanned="1"'), "甲公司", 7),
            row("<table:covered-table-cell/>", "乙公司", 8),
        ),
        "workbook",
        header=NAMES,
    )
    assert [record["标段"] for record in taken.records()] == ["BD1", "BD1"]


def test_a_hidden_open_sheet_is_named_and_not_read(taking):
    content = ods(row(*NAMES), row("甲公司", 7), hidden=[row(*NAMES), row("乙公司", 8)])
    taken = taking(content, "workbook", header=NAMES)
    assert [record["投标人名称"] for record in taken.records()] == ["甲公司"]
    assert "sheet 底稿 is hidden and was NOT read: 2 rows" in taken.notes


def test_what_is_under_a_password_says_so(refusal):
    old = (SHEETS / "o1_old.xls").read_bytes()
    # The record WRITEACCESS of the same length becomes FILEPASS.
    assert (
        refusal(old.replace(b"\x5c\x00\x70\x00", b"\x2f\x00\x70\x00"), "workbook", header=NAMES)
        == "ENCRYPTED"
    )
    assert refusal(ods(row("x"), manifest="<encryption-data/>"), "workbook", header=NAMES) == "ENCRYPTED"


def test_a_sheet_that_would_fill_memory_is_refused(refusal):
    wide = cell(1, 'table:number-columns-repeated="16384"')
    bomb = ods(row(*NAMES), row(wide, attributes='table:number-rows-repeated="1048576"'))
    assert refusal(bomb, "workbook", header=NAMES) == "SHEET_TOO_LARGE"
    assert refusal(ods(row("0" * 30_000_000)), "workbook", header=NAMES) == "DANGEROUS_ARCHIVE"
    assert refusal(ods(row("x"), before="<!DOCTYPE x>"), "workbook", header=NAMES) == "DOCTYPE"


def test_other_programs_files_keep_their_reason(refusal):
    old = (SHEETS / "o1_old.xls").read_bytes()
    document = old.replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le"))
    assert refusal(document, "workbook", header=NAMES) == "OLD_OFFICE"
    assert refusal(old, "delimited") == "OLD_OFFICE"
    assert refusal(ods(row("x")), "document") == "OTHER_OFFICE"


def test_the_content_decides_and_not_the_name(taking):
    for name in ("old.xlsx", "old.ods", "old"):
        assert len(taking(SHEETS / "o1_old.xls", "workbook", name=name, header=NAMES).records()) == 4
    assert sniffing.sniff(SHEETS / "o1_old.xls") == "xls"


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_workbook_is_read_by_both_counts_alike_or_refused(taking, seed):
    chance = random.Random(seed)
    content = bytearray((SHEETS / "o1_old.xls").read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(8, len(content))
        content[at : at + chance.randint(0, 8)] = chance.randbytes(chance.randint(0, 8))
    try:
        taking(bytes(content), "workbook", header=NAMES)
    except FileRefused as refused:
        assert refused.reason_zh
    except AssertionError as error:
        assert "physical records" in str(error), "the counts disagree, and the file would be refused"


def test_a_cut_workbook_is_refused(refusal):
    old = (SHEETS / "o1_old.xls").read_bytes()
    assert refusal(old[:-600], "workbook", header=NAMES) == "OLD_OFFICE", (
        "the list of its parts stands at the end"
    )


def test_room_that_no_file_has_is_not_made(refusal):
    old = (SHEETS / "o1_old.xls").read_bytes()
    strings = old.index(b"\xfc\x00", 512)
    huge = old[: strings + 8] + b"\xff\xff\xff\x7f" + old[strings + 12 :]
    assert refusal(huge, "workbook", header=NAMES) == "DAMAGED_WORKBOOK"
    dimensions = old.index(b"\x00\x02\x0e\x00", 512) + 4
    wide = old[:dimensions] + b"\0\0\0\0\xff\xff\xff\0\0\0\xff\xff" + old[dimensions + 12 :]
    assert refusal(wide, "workbook", header=NAMES) == "SHEET_TOO_LARGE"
