import csv
import io
import zipfile
from datetime import datetime

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.intake.readers import FileRefused
from pipelines.intake.returned_list import WANTED, take_apart

ID = "SAAAAAAAAAAAAAAAA"
HEAD = ["预警编号", "核查状态", "核查结论", "核查人", "反馈时间", "备注"]
FULL = [ID, "已核查", "属实", "王某", "2026-07-02 09:30:00", "见笔录"]


@pytest.fixture
def read(tmp_path):
    def run(content):
        path = tmp_path / "back"
        path.write_bytes(content)
        return take_apart(path, tmp_path)

    return run


def text(rows, encoding="utf-8-sig", separator=",", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=quoting).writerows(rows)
    return out.getvalue().encode(encoding)


def book(sheets, formats=None):
    """Sheets by name; a cell ``=…`` is a formula, a datetime a date cell, a number a number."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        day = made.add_format({"num_format": "yyyy/m/d"})
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name.lstrip("!"))
            if name.startswith("!"):
                sheet.hide()
            for at, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(at, column, value, day)
                    else:
                        sheet.write(at, column, value)
            if formats:
                formats(sheet)
    return out.getvalue()


def said(form):
    return [[row[key] for key in WANTED] for row in form.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_in_any_encoding_and_with_any_separator(read, encoding, separator):
    form = read(text([HEAD, FULL], encoding, separator))
    assert said(form) == [FULL]
    assert form.rows[0]["place"] == "row 2"


def test_columns_in_another_order_with_others_between_and_a_title_above(read):
    rows = [["围标串标预警清单"], [], ["标段编号", *reversed(HEAD), "我的列"], ["L1", *reversed(FULL), "x"]]
    assert said(read(text(rows))) == [FULL]
    assert said(read(book({"x": rows}))) == [FULL]


def test_names_of_columns_may_have_blanks_width_and_units(read):
    head = [" 预警编号 ", "核查\n状态", "核查结论", "核查人（签名）", "反馈时间(北京时间)", "备 注"]
    assert said(read(text([head, FULL], quoting=csv.QUOTE_ALL))) == [FULL]


def test_columns_may_be_missing_or_hidden(read):
    assert said(read(text([["预警编号", "核查结论"], [ID, "属实"]]))) == [[ID, "", "属实", "", "", ""]]
    hidden = book({"x": [HEAD, FULL]}, lambda sheet: sheet.set_column(0, 2, None, None, {"hidden": True}))
    assert said(read(hidden)) == [FULL]


def test_blank_rows_are_none_and_rows_keep_the_number_that_a_person_sees(read):
    form = read(book({"x": [HEAD, [], FULL, [""], [ID, "", "", "", "", "又"]]}))
    assert [row["place"] for row in form.rows] == ["x row 3", "x row 5"]


def test_codes_as_numbers_elsewhere_in_the_row_do_not_matter(read):
    form = read(book({"x": [[*HEAD, "主体代码"], [*FULL, 9.11e17]]}))
    assert said(form) == [FULL]
    assert form.rows[0]["problem"] == ""
    assert said(read(text([[*HEAD, "主体代码"], [*FULL, "9.11E+17"]]))) == [FULL]


def test_dates_as_cells_and_as_numbers_become_text(read):
    form = read(book({"x": [HEAD, [*FULL[:4], datetime(2026, 6, 30), ""], [*FULL[:4], 46203.5, ""]]}))  # noqa: DTZ001
    assert [row["feedback_at"] for row in form.rows] == ["2026-06-30 00:00:00", "46203.5"]


def test_a_formula_in_a_column_that_counts_is_named_and_one_elsewhere_is_not(read):
    rows = [[*HEAD, "序号"], [ID, "已核查", '=IF(1,"属实","")', "王某", "", "", "=ROW()"], [*FULL, "=ROW()"]]
    form = read(book({"x": rows}))
    assert "cell C2 holds a formula" in form.rows[0]["problem"]
    assert form.rows[1]["problem"] == ""


def test_a_formula_alone_below_the_table_is_not_overlooked(read):
    form = read(book({"x": [HEAD, FULL, [None, None, "=1/0"]]}))
    assert "cell C3" in form.rows[1]["problem"]


def test_a_sheet_under_another_name_and_two_sheets_with_rows_are_read(read):
    form = read(
        book({"说明": [["送达编号", "0123456789abcdef"]], "清单 (2)": [HEAD, FULL], "甲": [HEAD, FULL]})
    )
    assert form.deliveries == ["0123456789abcdef"]
    assert [row["place"] for row in form.rows] == ["清单 (2) row 2", "甲 row 2"]


def test_a_hidden_sheet_is_not_read_and_said_so(read):
    form = read(
        book({"清单": [HEAD, FULL], "!旧": [HEAD, FULL], "!说明": [["送达编号", "0123456789abcdef"]]})
    )
    assert form.deliveries == ["0123456789abcdef"]
    assert len(form.rows) == 1
    assert "旧" in form.notes[0]


def test_a_row_with_more_fields_than_the_header_is_refused(read):
    form = read(b"\xef\xbb\xbf" + f"{','.join(HEAD)}\r\n{ID},已核查,属实,王,2026-07-02,甲,乙\r\n".encode())
    assert "多于表头的 6 列" in form.rows[0]["problem"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (text([["预警编号", "规则编码"], [ID, "x"]]), "NO_HEADER"),
        (text([["a", "b"], ["c", "d"]]), "NO_HEADER"),
        (text([[*HEAD, "核查结论"], [*FULL, "属实"]]), "DUPLICATE_COLUMN"),
        (b"<html><body>login</body></html>", "WEB_PAGE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "OLD_OFFICE"),
        (b"%PDF-1.7", "NO_TABLE"),
        (b'{"a": 1}', "NO_TABLE"),
        (book({"x": [HEAD, FULL]})[:900], "DAMAGED_ARCHIVE"),
        ((",".join(HEAD) + "\n" + ID + ',"属').encode()[:-1], "ENCODING"),
    ],
)
def test_what_is_no_filled_list_is_refused_with_the_reason(read, content, code):
    with pytest.raises(FileRefused) as refused:
        read(content)
    assert refused.value.code == code


def test_a_workbook_with_a_doctype_is_refused(read):
    source, out = io.BytesIO(book({"x": [HEAD, FULL]})), io.BytesIO()
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(out, "w") as spoilt:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "xl/workbook.xml":
                data = data.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "aaaa">]>', 1)
            spoilt.writestr(name, data)
    with pytest.raises(FileRefused, match="DOCTYPE"):
        read(out.getvalue())


#: A workbook says when it was made: one for all examples.
WHOLE = (text([HEAD, FULL, FULL]), book({"x": [HEAD, FULL, FULL]}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_refused_and_never_a_crash(read, data):
    whole = data.draw(st.sampled_from(WHOLE))
    at = data.draw(st.integers(0, len(whole)))
    spoilt = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 6)) :]
    try:
        form = read(spoilt)
    except FileRefused as refused:
        assert refused.reason
    else:
        assert len(form.rows) <= 4


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(max_size=12), min_size=6, max_size=6), max_size=5))
def test_what_is_written_under_the_header_comes_back_as_it_was_or_is_refused_whole(read, rows):
    try:
        form = read(text([HEAD, *rows], "utf-8-sig", quoting=csv.QUOTE_ALL))
    except FileRefused as refused:
        assert refused.code in ("NUL_BYTE", "ENCODING", "BINARY")
    else:
        assert said(form) == [
            [cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)
        ]
