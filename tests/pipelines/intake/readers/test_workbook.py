import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter

from pipelines.intake import readers

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


def unread(text):
    """What a cell says that is there and cannot be read."""
    return text is not None and text.startswith(readers.UNREADABLE)


def test_a_code_that_was_stored_as_a_number_costs_that_cell(taking, book):
    taken = taking(
        book(表=[["代码", "名称"], [911100006000373416, "甲"], ["911100006000373416", "甲"]]), "workbook"
    )
    assert not taken.unreadable
    assert [unread(row["代码"]) for row in taken.records()] == [True, False]
    assert "A2" in taken.records()[0]["代码"]


def test_a_formula_is_no_evidence_even_with_a_cached_value(taking, book):
    taken = taking(book(表=[["a", "b"], [1, 2], [3, "=1+1"], [None, "=SUM(B2:B3)"]]), "workbook")
    assert [unread(row["b"]) for row in taken.records()] == [False, True, True]
    assert "B3" in taken.records()[1]["b"]


def test_an_error_cell_costs_that_cell(taking, book):
    content = rewritten(
        book(表=[["a", "b"], ["x", 4242], ["y", 1]]),
        lambda name, data: data.replace(b'<c r="B2"><v>4242', b'<c r="B2" t="e"><v>#REF!'),
    )
    assert [unread(row["b"]) for row in taking(content, "workbook").records()] == [True, False]


def test_a_heading_that_is_a_formula_names_no_column(taking, book):
    taken = taking(book(表=[["a", '="b"', "c"], [1, 2, 3]]), "workbook")
    assert taken.records() == [{"a": "1", "column:B": "2", "c": "3"}]
    assert any("the heading is a formula" in note for note in taken.notes)


def test_numbers_that_were_dragged_down_make_no_records(taking, book):
    content = book(表=[[*NAMES, "签字"], [1, "甲公司", 5, "=X()"], ["=ROW()-1", None, None, "=X()"], [3]])
    taken = taking(content, "workbook", header=NAMES, wanted=NAMES[1:])
    assert [row["投标人名称"] for row in taken.records()] == ["甲公司"]


LOTS = ["标段编号：A", None, "最高投标限价（元）：120"]


def opened(taking, book, *rows, keys=("head:标段编号",), wanted=("投标人名称", "投标报价", "head:标段编号")):
    """Lot and bidder of every record of a sheet; its table has the columns of ``NAMES``."""
    taken = taking(
        book(表=list(rows)),
        "workbook",
        header=NAMES[1:],
        wanted=(*wanted, *keys),
        keys=keys,
        required=("投标人名称",),
    )
    return [(row.get("head:标段编号"), row["投标人名称"]) for row in taken.records()], taken


@pytest.mark.parametrize(
    "between",
    [
        [["标段编号：B　　某桥"]],
        [["标段编号", "B"]],
        [["标 段 编 号：", "B", "开标时间：2026-05-06 09:30"]],
        [[], ["某桥"], ["标段编号：B"], list(NAMES)],
    ],
)
def test_a_repeated_label_begins_the_next_lot(taking, book, between):
    found, taken = opened(taking, book, LOTS, NAMES, [1, "甲", 1], *between, [1, "乙", 2])
    assert found == [("A", "甲"), ("B", "乙")]
    ceilings = [row["head:最高投标限价（元）"] for row in taken.records()]
    assert ceilings == ["120", None], "what was said of the first lot is not said of the second"


def test_what_stands_above_the_first_lot_holds_for_every_lot(taking, book):
    rows = [["招标人：某局"], LOTS, NAMES, [1, "甲", 1], ["标段编号：B"], [1, "乙", 2]]
    _, taken = opened(taking, book, *rows)
    assert [row["head:招标人"] for row in taken.records()] == ["某局", "某局"]


@pytest.mark.parametrize(
    "between", [[["二标段"]], [["某桥工程", None, "详见"], NAMES], [NAMES], [["（二）"], [], NAMES]]
)
def test_rows_below_an_unknown_text_are_not_given_to_the_lot_above(taking, book, between):
    found, _ = opened(
        taking, book, LOTS, NAMES, [1, "甲", 1], [2, "乙", 1], *between, [1, "丙", 2], [2, "丁", 2]
    )
    assert found == [("A", "甲"), ("A", "乙"), (None, "丙"), (None, "丁")]


def test_the_header_of_the_next_printed_page_is_no_new_table(taking, book):
    found, _ = opened(
        taking, book, LOTS, NAMES, [1, "甲", 1], NAMES, [2, "乙", 2], ["注：未完"], [3, "丙", 3]
    )
    assert found == [("A", "甲"), ("A", "乙"), ("A", "丙")]


def test_a_lot_that_stands_in_the_table_is_not_lost_for_a_text_between(taking, book):
    wanted = ("标段编号", "投标人名称", "开标时间", "head:开标时间")
    rows = [
        ["开标时间：今天"],
        ["标段编号", "投标人名称"],
        ["A", "甲"],
        ["以下为二标段"],
        ["B", "乙"],
    ]
    taken = taking(book(表=rows), "workbook", wanted=wanted, keys=("标段编号",))
    assert [(row["标段编号"], row["head:开标时间"]) for row in taken.records()] == [
        ("A", "今天"),
        ("B", "今天"),
    ]


@pytest.mark.parametrize(
    "below",
    [
        ["合计", None, 3],
        [None, "平均值：", 1.5],
        ["开标人：张三", "监标人：李四", "记录人："],
        ["备注：以上含税"],
        [None, "注：以上报价均为含税价"],
        [None, "（以下空白）"],
    ],
)
def test_sums_signatures_and_remarks_below_the_table_are_no_bids(taking, book, below):
    found, taken = opened(taking, book, LOTS, NAMES, [1, "甲", 1], [2, "乙", 2], below)
    assert found == [("A", "甲"), ("A", "乙")]
    assert any(note.startswith("sheet 表, row 5: ") for note in taken.notes)


def test_a_bidder_without_a_price_is_no_remark(taking, book):
    found, _ = opened(
        taking, book, LOTS, ["投标人名称", "投标报价"], ["甲公司", 1], ["乙公司"], ["说明：乙公司未解密"]
    )
    assert found == [("A", "甲公司"), ("A", "乙公司")]


@pytest.mark.parametrize(
    ("upper", "lower", "price"),
    [
        (
            ["序号", "投标人名称", "投标报价（元）", None],
            [None, None, "小写", "大写"],
            "投标报价（元）（小写）",
        ),
        (
            ["序号", "投标人名称", "报价情况", None],
            [None, None, "投标报价（元）", "备注"],
            "报价情况 > 投标报价（元）",
        ),
        (
            ["序号", "投标人名称", "投标报价", "投标报价"],
            ["序号", "投标人名称", "元", "大写"],
            "投标报价（元）",
        ),
    ],
)
def test_a_header_of_two_rows_is_read(taking, book, upper, lower, price):
    found, taken = opened(taking, book, LOTS, upper, lower, [1, "甲", 1, "壹"])
    assert found == [("A", "甲")]
    assert taken.records()[0][price] == "1"


def test_a_title_right_above_the_header_is_no_first_level_of_it(taking, book):
    _, taken = opened(taking, book, LOTS, ["某县开标记录表"], ["投标人名称", "投标报价"], ["甲", 1])
    assert taken.records()[0]["投标报价"] == "1"


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


def test_a_cell_merged_over_rows_counts_for_each_of_them(taking):
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content)
    sheet = workbook.add_worksheet("表")
    sheet.write_row("A1", ["标段", "报价", "备注"])
    sheet.merge_range("A2:A4", "L1")
    sheet.write("B2", 1)
    sheet.write("B3", 2)
    sheet.merge_range("A5:A6", "L2")
    sheet.write("B5", 3)
    sheet.merge_range("C5:C6", "x")
    sheet.write("B6", 4)
    workbook.close()
    taken = taking(content.getvalue(), "workbook")
    assert [(row["标段"], row["报价"]) for row in taken.records()] == [
        ("L1", "1"),
        ("L1", "2"),
        ("L2", "3"),
        ("L2", "4"),
    ]


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
