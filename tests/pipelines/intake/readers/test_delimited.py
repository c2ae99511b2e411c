import csv
import io
import time

import pytest

NAMES = "标段编号,投标人名称,投标报价\n"
ROWS = "L1,𠮷野建设,100\nL2,䶮源工程,200\n"


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-be", "utf-16"),
    ],
)
def test_rare_names_survive_every_encoding(taking, encoding, noted):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    taken = taking((mark + NAMES + ROWS).encode(encoding), "delimited")
    assert [row["投标人名称"] for row in taken.records()] == ["𠮷野建设", "䶮源工程"]
    assert taken.columns["rows"] == ("标段编号", "投标人名称", "投标报价")
    assert f"encoding {noted}" in taken.notes


def test_records_are_numbered_as_a_spreadsheet_shows_them(taking):
    taken = taking((NAMES + ROWS).encode(), "delimited")
    assert [row["raw_row"] for row in taken.rows["rows"]] == [2, 3]
    assert taken.paths() == ["line 2", "line 3"]


def test_blank_lines_are_no_records_and_keep_the_numbering(taking):
    taken = taking(b"\na,b\n\n1,2\n\n\n3,4\n\n", "delimited")
    assert taken.paths() == ["line 4", "line 7"]
    assert "5 blank lines, not counted as records" in taken.notes


def test_line_breaks_inside_quotes_belong_to_the_value(taking):
    taken = taking(b'a,b\n"one\r\ntwo",2\n3,"say ""yes"""\n', "delimited")
    assert taken.records() == [{"a": "one\r\ntwo", "b": "2"}, {"a": "3", "b": 'say "yes"'}]
    assert taken.paths() == ["record 2", "record 3"]


def test_empty_and_null_like_texts_stay_text(taking):
    taken = taking(b'a,b,c\n,"",NULL\nNA,nan, x \n', "delimited")
    assert [list(row.values()) for row in taken.records()] == [["", "", "NULL"], ["NA", "nan", " x "]]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_comes_from_the_header(taking, separator):
    text = separator.join(["a", "b"]) + "\n" + separator.join(["1", "2 : 3"]) + "\n"
    assert taking(text.encode(), "delimited").records() == [{"a": "1", "b": "2 : 3"}]


def test_a_header_with_two_possible_separators_is_refused_unless_quoted(taking, refusal):
    assert refusal("标段,报价(元;含税)\n1,2\n".encode(), "delimited") == "AMBIGUOUS_DELIMITER"
    assert refusal(b"a b c\n1 2 3\n", "delimited") == "NO_DELIMITER"
    taken = taking('标段,"报价(元;含税)"\n1,2\n'.encode(), "delimited")
    assert taken.columns["rows"] == ("标段", "报价(元;含税)")


def test_a_record_with_too_many_or_too_few_fields_is_kept_aside(taking):
    taken = taking((NAMES + ROWS + "L3,甲,乙公司,300\nL4\nL5,丙,500\n").encode(), "delimited")
    assert [row["标段编号"] for row in taken.records()] == ["L1", "L2", "L5"]
    assert taken.codes() == ["FIELD_COUNT", "FIELD_COUNT"]
    first, second = taken.unreadable
    assert (first.raw_row, first.raw_path, first.raw_text) == (4, "line 4", "L3,甲,乙公司,300")
    assert "4 fields where the header has 3" in first.reason
    assert second.raw_text == "L4"


def test_a_cut_tail_is_not_loaded_as_half_a_row(taking):
    taken = taking((NAMES + ROWS).encode()[:-5], "delimited")
    assert len(taken.records()) == 1
    assert taken.codes() == ["FIELD_COUNT"]
    assert any("cut" in note for note in taken.notes)


@pytest.mark.parametrize("cut", range(1, 3))
def test_a_file_cut_inside_a_character_is_not_read_as_another_encoding(refusal, cut):
    assert refusal((NAMES + "L1,甲").encode()[:-cut], "delimited") == "ENCODING"


def test_one_damaged_byte_does_not_turn_utf8_into_gb18030(refusal):
    text = bytearray((NAMES + ROWS * 20).encode())
    text[text.rindex("源".encode())] = 0xFF
    assert refusal(bytes(text), "delimited") == "ENCODING"


def test_a_gb18030_row_among_utf8_rows_does_not_turn_them_into_other_characters(refusal):
    content = "编号,名称\n".encode() + "L1,建设\n".encode() * 9 + "L2,甲\n".encode("gb18030")
    content.decode("gb18030")  # would succeed, with wrong characters
    assert refusal(content, "delimited") == "ENCODING"


def test_the_place_of_a_byte_that_cannot_be_decoded_is_named(taking):
    with pytest.raises(Exception, match="at byte 6 "):
        taking(b"a,b\n1,\xff\n", "delimited")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,b\n1,2\n3,"open\n5,6\n', "line 3"),
        ('a,b\n1,"x"y\n', "line 2"),
        ('a,b\n"1\n2",3\n"4', "line 4"),
    ],
)
def test_quotes_that_do_not_close_refuse_the_file_and_name_the_line(taking, refusal, text, line):
    assert refusal(text.encode(), "delimited") == "BROKEN_QUOTES"
    with pytest.raises(Exception, match=line):
        taking(text.encode(), "delimited")


def test_an_open_quote_in_a_long_file_is_found_where_it_opens(taking):
    text = "a,b\n" + "1,2\n" * 1000 + '3,"open\n' + "5,6\n" * 300_000
    with pytest.raises(Exception, match="line 1002"):
        taking(text.encode(), "delimited")


@pytest.mark.parametrize("header", ["价格,价格", "价格, 价格 "])
def test_a_name_that_stands_twice_is_refused(refusal, header):
    assert refusal(f"{header}\n1,2\n".encode(), "delimited") == "DUPLICATE_COLUMN"
    assert refusal(f"{header}\n1,2\n".encode(), "delimited", wanted=("价格",)) == "DUPLICATE_COLUMN"


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("价格,", ("价格", "column:B")),
        ("raw_row,价格", ("column:A", "价格")),
        ("价格,备注,备注", ("价格", "备注", "备注 (2)")),
        (",价格,", ("column:A", "价格", "column:C")),
    ],
)
def test_a_column_that_nobody_reads_needs_no_good_name(taking, header, names):
    row = ",".join("123"[: len(names)])
    taken = taking(f"{header}\n{row}\n".encode(), "delimited", wanted=("价格",))
    assert taken.columns["rows"] == names
    assert len(taken.records()) == 1


def test_separators_too_many_at_the_end_of_a_line_are_no_fields(taking):
    taken = taking(b'a,b\n1,2,\n3,"x,\ny",,\n\n5,6\n7,8,9\n', "delimited")
    assert taken.records() == [{"a": "1", "b": "2"}, {"a": "3", "b": "x,\ny"}, {"a": "5", "b": "6"}]
    assert taken.codes() == ["FIELD_COUNT"]


TABLE = "标段编号,投标人名称,投标报价（元）\nL1,甲公司,1\nL1,乙公司,2\n"
WANTED = ("标段编号", "投标人名称", "投标报价")


@pytest.mark.parametrize(
    "above",
    ["某县2026年统计表,,\n", "某县2026年统计表\n", "某县统计表\n\n制表日期 2026-05-06\n", "某县，第1页\n"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_title_above_the_header_is_a_note(taking, above, encoding):
    taken = taking((above + TABLE).encode(encoding), "delimited", wanted=WANTED)
    assert [row["投标人名称"] for row in taken.records()] == ["甲公司", "乙公司"]
    assert any("某县" in note for note in taken.notes)
    assert taken.paths() == [f"line {above.count(chr(10)) + 2}", f"line {above.count(chr(10)) + 3}"]


def test_a_sheet_saved_as_text_is_read_as_the_sheet(taking):
    text = (
        "开标记录表,,\n标段编号：A,,开标时间：2026-05-06 09:30\n序号,投标人名称,投标报价（元）\n1,甲公司,1\n"
        "标段编号：B,,\n1,乙公司,2\n合计,,3\n"
    )
    wanted = ("head:标段编号", "head:开标时间", "投标人名称", "投标报价")
    taken = taking(text.encode(), "delimited", wanted=wanted, keys=wanted[:1], required=("投标人名称",))
    assert [(row["head:标段编号"], row["投标人名称"]) for row in taken.records()] == [
        ("A", "甲公司"),
        ("B", "乙公司"),
    ]


def test_a_file_without_a_header_has_its_names_in_the_mapping(taking):
    taken = taking(b"L1,1\nL2,2\n", "delimited", columns=("lot", "price"))
    assert taken.records() == [{"lot": "L1", "price": "1"}, {"lot": "L2", "price": "2"}]
    taken = taking(b"title\nL1,1\n", "delimited", columns=("lot", "price"), skip=1)
    assert (taken.records(), taken.paths()) == ([{"lot": "L1", "price": "1"}], ["line 2"])


def test_lines_before_the_header_can_be_skipped(taking):
    taken = taking(b"a,b\nlot,price\nL1,1\n", "delimited", skip=1)
    assert (taken.records(), taken.paths()) == ([{"lot": "L1", "price": "1"}], ["line 3"])


@pytest.mark.parametrize("wanted", [(), ("head:标段编号", "标段编号", "报价")])
def test_a_number_marked_as_text_for_a_spreadsheet_is_the_text(taking, wanted):
    taken = taking('标段编号,报价\n="H1-C3",1\n="007",2\n'.encode(), "delimited", wanted=wanted)
    assert [row["标段编号"] for row in taken.records()] == ["H1-C3", "007"]


def test_nul_characters_are_refused(refusal):
    assert refusal(b"a,b\n1,2\0\n", "delimited") == "BINARY"
    assert refusal(b"a,b\n" + b"1,2\n" * 20_000 + b"1,\0\n", "delimited") == "NUL_BYTE"
    assert refusal("a,b\n1,\0\n".encode("utf-16"), "delimited") == "NUL_BYTE"


@pytest.mark.parametrize("text", [b"a,b", b"a,b\n", b"\n\na,b\n\n"])
def test_a_header_alone_is_an_empty_table(taking, text):
    taken = taking(text, "delimited")
    assert taken.records() == []
    assert taken.columns["rows"] == ("a", "b")


def test_every_kind_of_line_end_is_read(taking):
    assert len(taking(b'a,b\r1,2\r\n3,4\n\r5, "6"\r7,5" x', "delimited").records()) == 4


def test_the_section_may_come_from_the_file_name(taking):
    taken = taking(b"a,b\n1,2\n", "delimited", name="TENDER_LIST_20261101.csv", section="stem")
    assert list(taken.rows) == ["TENDER_LIST"]


def test_a_line_without_end_is_refused(refusal):
    assert refusal(b"a,b\n" + b"1" * (9 * 2**20), "delimited") == "LINE_TOO_LONG"


def test_a_record_beyond_the_limit_is_refused_and_not_dropped(refusal):
    header = ",".join(f"c{number}" for number in range(30))
    record = ",".join(['"' + "x\n" * 250_000 + '"'] * 30)
    small = ",".join(["1"] * 30)
    assert refusal(f"{header}\n{record}\n{small}\n".encode(), "delimited") == "RECORD_TOO_LONG"


def test_a_hundred_thousand_rows_are_read_in_seconds(taking):
    text = io.StringIO()
    csv.writer(text).writerows(
        [["a", "b", "c"], *([str(i), "某某建设,有限公司", "x"] for i in range(100_000))]
    )
    content = text.getvalue().encode("gb18030")
    begin = time.process_time()
    taken = taking(content, "delimited", size=50_000)
    assert len(taken.rows["rows"]) == 100_000
    assert time.process_time() - begin < 10
