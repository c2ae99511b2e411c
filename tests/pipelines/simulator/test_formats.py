import io
import re
import tomllib
import zipfile
from dataclasses import replace
from datetime import datetime

import duckdb
import pyarrow.parquet as pq
import pytest
from places import REPO

from pipelines.intake import readers
from pipelines.intake.readers import FileRule
from pipelines.simulator import formats
from pipelines.simulator.formats import OpeningHead, OpeningRow, Part

SHEETS = tomllib.loads(
    (REPO / "pipelines" / "intake" / "sources" / "opening_sheets.toml").read_text(encoding="utf-8")
)

RARE = "𠮷野䶮建设㐂"
HOSTILE = [
    "<b>&amp;</b>",
    "]]><!-- x --><?y?>",
    "\"double\" 'single' `back`",
    "two\nlines",
    "carriage\r\nreturn\r",
    "tab\there",
    "back\\slash \\u0041 %s {x} $1",
    " blanks around ",
    "comma,semicolon;bar|",
    RARE,
    "\u2028line separator\u00a0\ufeff",
    "'; DROP TABLE world.bids; --",
]
#: Characters that a text can hold and an XML 1.0 document cannot.
CONTROLS = [chr(n) for n in range(1, 32) if chr(n) not in "\t\n\r"] + ["\ufffe", "\uffff"]
RECORD = "SELECT 'K1' AS \"DATA_KEY\", '1' AS \"TITLE/DATA_TYPE\", "
NO_RECORD = RECORD + "'x' AS A WHERE FALSE"
MANY = """
    SELECT 'K' || n AS "DATA_KEY", '1' AS "TITLE/DATA_TYPE", 'lot ' || n // 5 AS "BID_SECTION_CODE",
           CASE WHEN n % 3 <> 0 THEN repeat('样例', n % 7) END AS "BIDDER_NAME"
    FROM range(260000) AS numbers(n)
    ORDER BY n % 1000, n
"""
HEAD = OpeningHead(
    tender_name="样例房建工程",
    lot_id="E4108210000000300001001",
    buyer_name="修武县样例教育局",
    opening_at=datetime(2026, 6, 9, 9, 30),  # noqa: DTZ001
    method="合理低价法",
    ceiling_fen=1_234_567_890,
    is_ten_thousand=False,
)
ROWS = [
    OpeningRow("修武样例云程公司", 1_200_000_005, 150, "样例甲", "转账", datetime(2026, 6, 9, 8, 1, 2)),  # noqa: DTZ001
    OpeningRow("修武样例云远公司", 99, 90, "样例乙", "电子保函", datetime(2026, 6, 8, 17)),  # noqa: DTZ001
]


def opened(threads=2):
    return duckdb.connect(config={"python_enable_replacements": False, "threads": threads})


@pytest.fixture
def con():
    with opened() as con:
        con.execute("CREATE TABLE texts (place INTEGER, first VARCHAR, second VARCHAR)")
        yield con


def put(con, values):
    """Rows of the table ``texts``: each value, and beside it the next one."""
    rows = [(place, value, values[(place + 1) % len(values)]) for place, value in enumerate(values)]
    con.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)


def read(path, format, tmp_path, section="rows", header=()):
    rule = FileRule(("*",), format, section, header)
    reading = readers.read(path, rule, path.name, tmp_path)
    assert reading.unreadable == []
    (found,) = [one for one in reading.sections if one.name == section]
    return [
        {name: row[name] for name in found.columns}
        for batch in found.batches(10_000)
        for row in batch.to_pylist()
    ]


def write_xml(con, query, path):
    return formats.write_xml(con, [Part("TENDER_LIST", "507", query)], path, platform_code="PLATFORM")


def write_lines(con, query, path):
    return formats.write_lines(con, [Part("TENDER_LIST", "507", query)], path, platform_code="PLATFORM")


def write_gb18030(con, query, path):
    return formats.write_csv(con, query, path, encoding="gb18030")


WRITERS = [formats.write_csv, write_gb18030, formats.write_parquet, write_xml, write_lines]


@pytest.mark.parametrize("writer", WRITERS)
def test_the_bytes_are_the_same_again_and_with_other_threads(writer, tmp_path):
    written = []
    for threads in (1, 2, 2):
        with opened(threads) as con:
            path = tmp_path / f"{len(written)}.out"
            assert writer(con, MANY, path) == 260_000
            written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize("writer", WRITERS)
def test_no_rows_leave_no_file(con, tmp_path, writer):
    assert writer(con, NO_RECORD, tmp_path / "nothing.out") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", WRITERS)
def test_a_query_may_end_in_a_comment_and_a_path_hold_a_quote(con, tmp_path, writer):
    path = tmp_path / "it's.out"
    assert writer(con, RECORD + "'x' AS A -- the end", path) == 1
    assert path.exists()


# --- tables


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_back_as_it_was(con, tmp_path, encoding):
    put(con, [*HOSTILE, "\x01\x1f control"])
    path = tmp_path / "texts.csv"
    query = 'SELECT first AS "TITLE/DATA_TYPE", second AS 名称 FROM texts ORDER BY place'
    assert formats.write_csv(con, query, path, encoding=encoding) == len(HOSTILE) + 1
    found = read(path, "delimited", tmp_path)
    expected = con.execute("SELECT first, second FROM texts ORDER BY place").fetchall()
    assert [tuple(row.values()) for row in found] == expected
    assert list(found[0]) == ["TITLE/DATA_TYPE", "名称"]


def test_csv_begins_with_a_byte_order_mark_only_as_utf_8_sig(con, tmp_path):
    for encoding, begin in (("utf-8-sig", b"\xef\xbb\xbfA,B\n"), ("utf-8", b"A,B\n"), ("gb18030", b"A,B\n")):
        path = tmp_path / f"{encoding}.csv"
        formats.write_csv(con, "SELECT '1' AS A, '2' AS B", path, encoding=encoding)
        assert path.read_bytes() == begin + b"1,2\n"


def test_null_is_an_empty_field(con, tmp_path):
    path = tmp_path / "null.csv"
    formats.write_csv(con, "SELECT 'x' AS A, CAST(NULL AS VARCHAR) AS B, '/' AS C", path, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "A,B,C\nx,,/\n"


def test_gb18030_holds_rare_characters_across_chunks_and_leaves_one_file(con, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_CHUNK_CHARS", 3)
    path = tmp_path / "rare.csv"
    formats.write_csv(con, f"SELECT '{RARE * 5}' AS 名称", path, encoding="gb18030")
    assert path.read_bytes().decode("gb18030") == f"名称\n{RARE * 5}\n"
    assert [file.name for file in tmp_path.iterdir()] == ["rare.csv"]


def test_parquet_is_read_back_as_it_was(con, tmp_path):
    put(con, [*HOSTILE, *CONTROLS])
    path = tmp_path / "texts.parquet"
    formats.write_parquet(con, "SELECT first, second FROM texts ORDER BY place", path)
    found = read(path, "parquet", tmp_path)
    expected = con.execute("SELECT first, second FROM texts ORDER BY place").fetchall()
    assert [tuple(row.values()) for row in found] == expected


def test_parquet_keeps_the_order_over_row_groups(con, tmp_path):
    path = tmp_path / "many.parquet"
    formats.write_parquet(con, "SELECT n FROM range(300000) AS numbers(n) ORDER BY n DESC", path)
    assert pq.ParquetFile(path).num_row_groups > 1
    assert pq.read_table(path)["n"].to_pylist() == list(range(299_999, -1, -1))


# --- exchange records


@pytest.mark.parametrize("write", [write_xml, write_lines])
def test_exchange_records_are_read_back_as_they_were(con, tmp_path, write):
    put(con, HOSTILE)
    path = tmp_path / "exchange"
    query = """
        SELECT 'K' || place AS "DATA_KEY", '1' AS "TITLE/DATA_TYPE",
               first AS "BIDDER_NAME", second AS "VALUATION_XML"
        FROM texts
        ORDER BY place
    """
    assert write(con, query, path) == len(HOSTILE)
    found = read(path, "exchange", tmp_path, "TENDER_LIST")
    expected = con.execute("SELECT first, second FROM texts ORDER BY place").fetchall()
    assert [(row["BIDDER_NAME"], row["VALUATION_XML"]) for row in found] == expected
    assert [row["TITLE/DATA_KEY"] for row in found] == [f"K{place}" for place in range(len(HOSTILE))]


def test_json_lines_hold_every_control_character(con, tmp_path):
    put(con, CONTROLS)
    path = tmp_path / "exchange"
    write_lines(con, RECORD + 'first AS "REMARK" FROM texts ORDER BY place', path)
    found = read(path, "exchange", tmp_path, "TENDER_LIST")
    assert [row["REMARK"] for row in found] == CONTROLS


def test_xml_marks_the_place_of_a_character_that_it_cannot_hold(con, tmp_path):
    put(con, CONTROLS)
    path = tmp_path / "exchange"
    write_xml(con, RECORD + "'a' || first || first || 'b' AS \"REMARK\" FROM texts ORDER BY place", path)
    found = read(path, "exchange", tmp_path, "TENDER_LIST")
    assert [row["REMARK"] for row in found] == ["a\ufffd\ufffdb"] * len(CONTROLS)


@pytest.mark.parametrize("write", [write_xml, write_lines])
def test_a_record_has_a_title_its_filled_fields_and_the_platform(con, tmp_path, write):
    path = tmp_path / "exchange"
    write(con, RECORD + "'1.50' AS BID_PRICE, '' AS REMARK, CAST(NULL AS VARCHAR) AS TIME_LIMIT", path)
    assert read(path, "exchange", tmp_path, "TENDER_LIST") == [
        {
            "TITLE/DATA_KEY": "K1",
            "TITLE/DATA_EN": "TENDER_LIST",
            "TITLE/DATA_NO": "507",
            "TITLE/DATA_TYPE": "1",
            "BID_PRICE": "1.50",
            "REMARK": "",
            "PLATFORM_CODE": "PLATFORM",
        }
    ]


@pytest.mark.parametrize("write", [formats.write_xml, formats.write_lines])
def test_records_stand_part_by_part_in_the_order_of_their_queries(con, tmp_path, write):
    path = tmp_path / "exchange"
    select = "SELECT CAST(n AS VARCHAR) AS \"DATA_KEY\", '3' AS \"TITLE/DATA_TYPE\", 'x' AS {} FROM range(5000) AS t(n)"
    parts = [
        Part("SECTION", "502", select.format("A") + " ORDER BY n DESC"),
        Part("TENDER_LIST", "507", NO_RECORD),
        Part("WIN_RESULT_ANNO", "513", select.format("B") + " ORDER BY n"),
    ]
    assert write(con, parts, path, platform_code="it's") == 10_000
    sections = read(path, "exchange", tmp_path, "SECTION")
    awards = read(path, "exchange", tmp_path, "WIN_RESULT_ANNO")
    assert [row["TITLE/DATA_KEY"] for row in sections] == [str(n) for n in range(4999, -1, -1)]
    assert [row["TITLE/DATA_KEY"] for row in awards] == [str(n) for n in range(5000)]
    assert {(row["TITLE/DATA_TYPE"], row["PLATFORM_CODE"]) for row in sections + awards} == {("3", "it's")}
    texts = path.read_text(encoding="utf-8")
    assert texts.index("SECTION") < texts.index("WIN_RESULT_ANNO")


@pytest.mark.parametrize("write", [write_xml, write_lines])
@pytest.mark.parametrize("name", ["TITLE/DATA_NAME", "投标人", "1ST", 'A"B', "A B"])
def test_a_column_that_cannot_be_a_field_is_named(con, tmp_path, write, name):
    quoted = name.replace('"', '""')
    with pytest.raises(ValueError, match=r"TENDER_LIST: .* cannot be a field"):
        write(con, RECORD + f"'x' AS \"{quoted}\"", tmp_path / "exchange")


# --- bid-opening sheets


def sheet_rows(content, tmp_path):
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(content)
    (rule,) = [rule for rule in SHEETS["file"] if rule["format"] == "workbook"]
    return read(path, "workbook", tmp_path, "opening", tuple(rule["header"]))


def test_an_opening_sheet_is_read_back_with_its_head(tmp_path):
    first, second = sheet_rows(formats.opening_sheet(HEAD, ROWS), tmp_path)
    assert first == {
        "序号": "1",
        "投标人名称": "修武样例云程公司",
        "投标报价（元）": "12,000,000.05",
        "工期（日历天）": "150日历天",
        "项目负责人": "样例甲",
        "保证金形式": "转账",
        "递交时间": "2026-06-09 08:01:02",
        "head:项目名称": "样例房建工程",
        "head:标段编号": "E4108210000000300001001",
        "head:招标人": "修武县样例教育局",
        "head:开标时间": "2026-06-09 09:30",
        "head:评标办法": "合理低价法",
        "head:最高投标限价（元）": "12,345,678.90",
    }
    assert (second["投标人名称"], second["投标报价（元）"]) == ("修武样例云远公司", "0.99")


def test_prices_in_ten_thousands_keep_the_fen(tmp_path):
    found = sheet_rows(formats.opening_sheet(replace(HEAD, is_ten_thousand=True), ROWS), tmp_path)
    assert [row["投标报价（万元）"] for row in found] == ["1,200.000005", "0.000099"]
    assert {row["head:最高投标限价（元）"] for row in found} == {"12,345,678.90"}


def test_an_opening_sheet_was_made_at_the_opening_as_it_says():
    content = formats.opening_sheet(HEAD, ROWS)
    assert formats.opening_sheet(HEAD, ROWS) == content
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {part.date_time[0] for part in parts.infolist()} == {1980}
        core = parts.read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+", core)) == {"2026-06-09T09:30:00"}
