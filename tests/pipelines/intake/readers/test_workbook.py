import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter

NAMES = ("序号", "投标人名称", "投标报价")
HEADER = ["序号", "投标人名称", "投标报价（万元）", "递交时间"]


@pytest.fixture
def book():

    def write(hidden=(), **sheets):
        content = io.BytesIO()
        workbook = xlsxwriter.Workbook(
            content, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        )
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(number, column, cell)
            if name in hidden:
                sheet.hide()
        workbook.close()
        return content.getvalue()

    return write


def rewritten(content: bytes, change) -> bytes:
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return result.getvalue()


def test_an_opening_record_gives_its_rows_and_its_head(taking, book):
    content = book(
        开标记录=[
            ["某县某工程开标记录表"],
            ["标段编号：", "BD001", None, "开标时间: 2026-05-01 09:30"],
            ["招标人：某局  最高投标限价（元）：1,200,000", None, "项 目 名 称：某工程"],
            [],
            HEADER,
            [1, "甲公司", 100.5, dt.datetime.fromisoformat("2026-05-01 09:30")],
            [2, "乙公司", 99, dt.datetime.fromisoformat("2026-05-01 09:29:59")],
            [],
            ["备注：以上报价均含税"],
        ]
    )
    taken = taking(content, "workbook", header=NAMES)
    head = {
        "head:标段编号": "BD001",
        "head:开标时间": "2026-05-01 09:30",
        "head:招标人": "某局",
        "head:最高投标限价（元）": "1,200,000",
        "head:项目名称": "某工程",
    }
    assert taken.records() == [
        {"序号": "1", "投标人名称": "甲公司", "投标报价（万元）": "100.5", "递交时间": "2026-05-01 09:30:00"}
        | head,
        {"序号": "2", "投标人名称": "乙公司", "投标报价（万元）": "99", "递交时间": "2026-05-01 09:29:59"}
        | head,
    ]
    assert [row["raw_row"] for row in taken.rows["rows"]] == [6, 7]
    assert taken.paths()[0] == "sheet 开标记录, row 6"
    assert "sheet 开标记录, row 1: 某县某工程开标记录表" in taken.notes
    assert "sheet 开标记录, row 9: 备注：以上报价均含税" in taken.notes


def test_labels_with_two_different_values_are_not_guessed(taking, book):
    content = book(表=[["联系人：张三", "联系人：李四"], HEADER, [1, "甲公司", 1]])
    taken = taking(content, "workbook", header=NAMES)
    assert not any(name.startswith("head:") for name in taken.columns["rows"])
    assert any("联系人" in note and "several values" in note for note in taken.notes)


@pytest.mark.parametrize(
    "heading", ["投标报价", "投标报价(元)", "投 标 报 价", "投标报价\n（万元）", "投标报价（小写）"]
)
def test_a_heading_is_found_whatever_its_unit_and_kept_as_it_is(taking, book, heading):
    taken = taking(book(表=[["x", heading], ["甲公司", 1]]), "workbook", header=("投标报价", "x"))
    assert taken.columns["rows"] == ("x", heading)


def test_without_expected_names_the_first_row_is_the_header(taking, book):
    assert taking(book(表=[["a", "b"], ["1", 2]]), "workbook").records() == [{"a": "1", "b": "2"}]


def test_a_workbook_without_the_header_is_refused_and_says_what_was_looked_for(taking, refusal, book):
    content = book(表=[["a", "b"], ["1", 2]])
    assert refusal(content, "workbook", header=NAMES) == "NO_HEADER"
    with pytest.raises(Exception, match="序号、投标人名称、投标报价"):
        taking(content, "workbook", header=NAMES)


def test_a_header_in_row_41_is_not_looked_for(taking, refusal, book):
    rows = [["x"]] * 39
    assert len(taking(book(表=[*rows, HEADER, [1, "甲", 2]]), "workbook", header=NAMES).records()) == 1
    assert refusal(book(表=[*rows, ["x"], HEADER, [1, "甲", 2]]), "workbook", header=NAMES) == "NO_HEADER"


def test_a_column_name_that_stands_twice_is_refused(refusal, book):
    assert refusal(book(表=[["a", "b", "a "], [1, 2, 3]]), "workbook") == "DUPLICATE_COLUMN"


def test_cells_become_text_without_loss(taking, book):
    cells = ["０１２", " 甲 ", 7, 0.1, 1e-7, 123456789012345, True, dt.date(2026, 5, 1), dt.time(9, 30)]
    header = [f"c{number}" for number in range(len(cells))]
    [row] = taking(book(表=[header, cells]), "workbook").records()
    assert list(row.values())[:7] == ["０１２", " 甲 ", "7", "0.1", "0.0000001", "123456789012345", "TRUE"]
    assert list(row.values())[7] == "2026-05-01 00:00:00"


def test_a_code_that_was_stored_as_a_number_is_kept_aside(taking, book):
    taken = taking(
        book(表=[["代码", "名称"], [911100006000373416, "甲"], ["911100006000373416", "甲"]]), "workbook"
    )
    assert taken.codes() == ["CODE_AS_NUMBER"]
    assert taken.unreadable[0].column == "代码"
    assert "A2" in taken.unreadable[0].reason
    assert taken.records() == [{"代码": "911100006000373416", "名称": "甲"}]


def test_a_formula_is_no_evidence_even_with_a_cached_value(taking, book):
    taken = taking(book(表=[["a", "b"], [1, 2], [3, "=1+1"], [None, "=SUM(B2:B3)"]]), "workbook")
    assert taken.codes() == ["FORMULA_CELL", "FORMULA_CELL"]
    assert [record.raw_row for record in taken.unreadable] == [3, 4]
    assert "B3" in taken.unreadable[0].reason
    assert taken.unreadable[0].column == "b"


def test_an_error_cell_keeps_its_row_aside(taking, book):
    content = rewritten(
        book(表=[["a", "b"], ["x", 4242], ["y", 1]]),
        lambda name, data: data.replace(b'<c r="B2"><v>4242', b'<c r="B2" t="e"><v>#REF!'),
    )
    assert taking(content, "workbook").codes() == ["ERROR_CELL"]


def test_a_formula_in_the_header_is_refused(refusal, book):
    assert refusal(book(表=[["a", '="b"'], [1, 2]]), "workbook") == "FORMULA_HEADER"


def test_hidden_sheets_are_named_and_not_read(taking, book):
    content = book(hidden=["藏"], 表=[["a", "b"], [1, 2]], 藏=[["a", "b"], [3, 4], [5, 6]])
    taken = taking(content, "workbook")
    assert taken.records() == [{"a": "1", "b": "2"}]
    assert "sheet 藏 is hidden and was NOT read: 3 rows" in taken.notes


def test_sheets_with_the_header_join_and_keep_their_own_addresses(taking, book):
    content = book(一=[["a", "b"], [1, 2]], 说明=[["看下页"]], 二=[["a", "c"], [3, 4]])
    taken = taking(content, "workbook", header=("a", "b", "c"))
    assert taken.records() == [{"a": "1", "b": "2", "c": None}, {"a": "3", "b": None, "c": "4"}]
    assert [row["raw_row"] for row in taken.rows["rows"]] == [2, 10_000_002]
    assert taken.paths() == ["sheet 一, row 2", "sheet 二, row 2"]
    assert "sheet 说明: no header found, not read" in taken.notes


def test_only_a_lone_text_in_the_first_column_is_a_remark(taking, book):
    taken = taking(book(表=[["序号", "名称"], [1, "甲"], [2], ["3"], ["以下空白"], [None, "乙"]]), "workbook")
    assert [list(row.values()) for row in taken.records()] == [["1", "甲"], ["2", ""], ["3", ""], ["", "乙"]]
    assert "sheet 表, row 5: 以下空白" in taken.notes


def test_a_column_without_heading_is_kept_under_its_letter(taking, book):
    taken = taking(book(表=[["a", None, "b", None], [1, "x", 2, None]]), "workbook")
    assert taken.records() == [{"a": "1", "column:B": "x", "b": "2"}]


def test_cells_merged_over_rows_are_noted(taking):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    sheet = workbook.add_worksheet("表")
    sheet.write_row("A1", ["标段", "报价"])
    sheet.merge_range("A2:A3", "L1")
    sheet.write("B2", 1)
    sheet.write("B3", 2)
    workbook.close()
    taken = taking(content.getvalue(), "workbook")
    assert [row["标段"] for row in taken.records()] == ["L1", ""]
    assert any("merged over several rows" in note for note in taken.notes)


@pytest.mark.parametrize(
    "declaration", [b"<!DOCTYPE x>", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>']
)
@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "docProps/core.xml"])
def test_a_doctype_in_any_part_is_refused(refusal, book, member, declaration):
    def change(name, data):
        end = data.index(b"?>") + 2
        return data[:end] + declaration + data[end:] if name == member else data

    assert refusal(rewritten(book(表=[["a", "b"], [1, "x"]]), change), "workbook") == "DOCTYPE"


def test_a_doctype_is_found_in_any_encoding(refusal, book):
    def change(name, data):
        if name != "docProps/app.xml":
            return data
        return "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE x><x/>".encode("utf-16")

    assert refusal(rewritten(book(表=[["a", "b"], [1, "x"]]), change), "workbook") == "DOCTYPE"


def added(content: bytes, *members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("xl/media/zeros.bin", bytes(64 * 2**20))],
        [(f"xl/media/{number}.bin", b"") for number in range(1001)],
        [("../outside.xml", b"<x/>")],
        [("/absolute.xml", b"<x/>")],
        [("xl\\back.xml", b"<x/>")],
        [("XL/Workbook.xml", b"<x/>")],
    ],
    ids=["bomb", "too many members", "parent folder", "absolute", "backslash", "same name twice"],
)
def test_a_dangerous_archive_is_refused(refusal, book, members):
    assert refusal(added(book(表=[["a", "b"], [1, 2]]), *members), "workbook") == "DANGEROUS_ARCHIVE"


def test_a_member_name_given_twice_is_refused(refusal, book):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = added(book(表=[["a", "b"], [1, 2]]), ("xl/workbook.xml", b"<x/>"))
    assert refusal(content, "workbook") == "DANGEROUS_ARCHIVE"


def test_a_cell_in_the_last_corner_is_refused_before_it_fills_the_memory(refusal, book):
    content = rewritten(
        book(表=[["a", "b"], [1, 4242]]),
        lambda name, data: data.replace(
            b"</row></sheetData>", b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
        ),
    )
    assert refusal(content, "workbook") == "SHEET_TOO_LARGE"


def test_a_damaged_or_cut_workbook_is_refused(refusal, book):
    content = book(表=[["a", "b"], *([str(number), "甲公司"] for number in range(200))])
    assert refusal(content[: len(content) // 2], "workbook") == "DAMAGED_ARCHIVE"
    damaged = bytearray(content)
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    damaged[at : at + 8] = b"\xff" * 8
    assert refusal(bytes(damaged), "workbook") in ("DAMAGED_ARCHIVE", "BROKEN_XML")


def test_macros_never_reach_the_parser(taking, book):
    content = added(book(表=[["a", "b"], [1, 2]]), ("xl/vbaProject.bin", b"not a macro at all"))
    assert taking(content, "workbook").records() == [{"a": "1", "b": "2"}]
