import csv
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from reports.alert_list import (
    COLUMNS,
    CONCLUSIONS_ZH,
    LEVEL_BY_GRADE,
    STATEMENT_ZH,
    STATES_ZH,
    Alert,
    csv_bytes,
    jsonl_bytes,
)
from reports.alert_workbook import xlsx_bytes

EXPECTED = Path(__file__).parent / "expected"
HEADERS = """
    预警编号 | 预警等级(红/黄/蓝) | 预警类型 | 规则编码 | 疑似情形 | 法律依据(条款)
    项目类型 | 招标项目编号 | 招标项目名称 | 标段编号 | 标段名称 | 统一交易标识码
    招标人 | 招标人代码 | 代理机构 | 代理机构代码 | 开标时间 | 投标人数
    最高限价(元) | 中标人 | 中标金额(元) | 涉及主体(名称) | 涉及主体统一社会信用代码
    关键事实 | 证据强度(A/B/C) | 风险分值 | 数据来源 | 数据时间戳 | 预警时间
    主管部门 | 监督部门代码 | 建议处置 | 处置时限 | 核查状态 | 核查结论 | 核查人 | 反馈时间 | 备注
"""


def csv_rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet_rows(content, sheet="预警清单"):
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(sheet).to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


def sheet_xml(content, name="xl/worksheets/sheet1.xml"):
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def test_the_columns_are_those_of_the_list_and_fields_of_an_alert():
    assert [column.header_zh for column in COLUMNS] == re.split(r" \| |\n\s*", HEADERS.strip())
    assert [column.key for column in COLUMNS] == list(Alert.__dataclass_fields__)


def test_csv_reads_as_agreed_with_the_recipients(alert, tmp_path):
    other = alert(alert_id="SB", grade="C", detector="prices.low_dispersion", score=None, lot_id=None)
    made, expected = tmp_path / "alerts.csv", EXPECTED / "alerts.csv"
    made.write_bytes(csv_bytes([alert(), other]))
    assert made.read_bytes() == expected.read_bytes(), f"if the change is meant: cp {made} {expected}"


def test_csv_has_a_byte_order_mark_and_crlf_and_quotes_every_field(alert):
    content = csv_bytes([alert(note="一\n二")])
    assert content.startswith(b"\xef\xbb\xbf")
    lines = content.decode("utf-8-sig").split("\r\n")
    assert len(lines) == 3
    assert "\n" not in "".join(lines)
    assert all(re.fullmatch(r'("[^"]*",){37}"[^"]*"', line) for line in lines[:2])


def test_times_are_local_whether_or_not_the_utc_is_said(alert):
    row = csv_rows(csv_bytes([alert(due_on=date(2026, 11, 27))]))[0]
    assert row["开标时间"] == "2026-11-22 09:30:00"
    assert row["数据时间戳"] == "2026-11-22 20:00:00"
    assert row["预警时间"] == "2026-11-23 02:00:00"
    assert row["处置时限"] == "2026-11-27"


def test_an_opening_known_only_by_its_day_shows_no_hour(alert):
    rows = [alert(opened_at=date(2026, 11, 22))]
    assert csv_rows(csv_bytes(rows))[0]["开标时间"] == "2026-11-22"
    assert sheet_rows(xlsx_bytes(rows))[0]["开标时间"] == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1E+3", "1000.00"), ("0.100000", "0.10"), ("12345678901234.567890", "12345678901234.56789")],
)
def test_money_in_csv_is_exact(alert, amount, shown):
    assert csv_rows(csv_bytes([alert(award_price_cny=Decimal(amount))]))[0]["中标金额(元)"] == shown


def test_names_and_codes_of_parties_stay_in_step(alert):
    row = csv_rows(csv_bytes([alert()]))[0]
    assert row["涉及主体(名称)"] == "甲建设有限公司;乙建筑有限公司"
    assert row["涉及主体统一社会信用代码"] == "911100006000373416;"


@pytest.mark.parametrize("form", [csv_bytes, xlsx_bytes])
def test_equal_rows_give_equal_bytes_in_any_order(alert, form):
    rows = [alert(), alert(alert_id="SB"), alert(alert_id="SC", lot_id=None)]
    assert len({form(order) for order in permutations(rows)}) == 1


@pytest.mark.parametrize("form", [csv_bytes, xlsx_bytes])
def test_an_alert_is_never_listed_twice(alert, form):
    with pytest.raises(ValueError, match="SAAAAAAAAAAAAAAAA stands twice"):
        form([alert(), alert(lot_id="other")])


@pytest.mark.parametrize(
    ("field", "value", "header"),
    [
        ("score", float("nan"), "风险分值"),
        ("award_price_cny", Decimal("NaN"), "中标金额"),
        ("award_price_cny", 1.5, "中标金额"),
        ("buyer_name", float("nan"), "招标人"),
        ("bidders", 2.5, "投标人数"),
        ("due_on", datetime(2026, 11, 22, tzinfo=UTC), "处置时限"),
    ],
)
@pytest.mark.parametrize("form", [csv_bytes, xlsx_bytes])
def test_a_value_that_does_not_fit_its_column_is_named(alert, form, field, value, header):
    with pytest.raises(ValueError, match=rf"SAAAAAAAAAAAAAAAA: {field} \({header}"):
        form([alert(**{field: value})])


def test_a_hostile_name_is_text_in_csv_and_exact_in_jsonl(alert):
    name = '=HYPERLINK("x")\u202e'
    assert csv_rows(csv_bytes([alert(winner_name=name)]))[0]["中标人"] == '\'=HYPERLINK("x")\\u202e'
    record = {"alert_id": "S", "lot_id": None, "detector": "d", "winner": name}
    assert json.loads(jsonl_bytes([record]))["winner"] == name


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(alert):
    rows = [alert(winner_name="=1+1", buyer_name="http://x.invalid", lot_name="{=1}", note="+1", lot_id="-1")]
    content = xlsx_bytes(rows)
    for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        assert not re.search(r"<(f|hyperlink)\b", sheet_xml(content, name))
    row = sheet_rows(content)[0]
    assert row["中标人"] == "'=1+1"
    assert row["标段编号"] == "'-1"
    assert row["招标人"] == "http://x.invalid"


def test_codes_of_18_digits_survive_the_workbook_as_text(alert):
    content = xlsx_bytes([alert(party_codes=("911100006000373416",), party_names=("甲建设有限公司",))])
    row = sheet_rows(content)[0]
    assert row["涉及主体统一社会信用代码"] == "911100006000373416"
    assert row["招标人代码"] == "114108210000000001"
    cells = dict(re.findall(r'<c r="([A-Z]+)2" s="\d+" t="(\w+)"', sheet_xml(content)))
    assert cells["W"] == cells["N"] == "s"
    assert 'formatCode="@"' in sheet_xml(content, "xl/styles.xml") or 'numFmtId="49"' in sheet_xml(
        content, "xl/styles.xml"
    )


def test_money_counts_and_times_are_numbers_in_the_workbook(alert):
    row = sheet_rows(xlsx_bytes([alert()]))[0]
    assert row["最高限价(元)"] == 12345678.9
    assert row["投标人数"] == 5
    assert row["风险分值"] == 0.9
    assert row["开标时间"] == datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 (a sheet has no zones)


def test_a_time_before_the_calendar_of_spreadsheets_is_text(alert):
    assert sheet_rows(xlsx_bytes([alert(due_on=date(1899, 12, 31))]))[0]["处置时限"] == "1899-12-31"


def test_a_text_too_long_for_a_cell_is_cut_visibly_and_whole_in_csv(alert):
    rows = [alert(key_facts_zh="𠮷" * 40_000)]
    assert sheet_rows(xlsx_bytes(rows))[0]["关键事实"].endswith("全文见 alerts.jsonl）")
    assert csv_rows(csv_bytes(rows))[0]["关键事实"] == "𠮷" * 40_000


def test_text_that_looks_like_an_escape_of_the_format_survives(alert):
    assert sheet_rows(xlsx_bytes([alert(lot_name="_x000D_ & <b>")]))[0]["标段名称"] == "_x000D_ & <b>"


def test_the_workbook_has_a_frozen_filtered_head_and_lists_to_choose_from(alert):
    xml = sheet_xml(xlsx_bytes([alert(), alert(alert_id="SB")]))
    assert 'state="frozen"' in xml
    assert '<autoFilter ref="A1:AL3"' in xml
    for cells, choices in (("AH2:AH3", STATES_ZH), ("AI2:AI3", CONCLUSIONS_ZH.values())):
        offered = re.search(rf'<dataValidation type="list"[^>]*sqref="{cells}".*?<formula1>"(.*?)"', xml)
        assert offered, cells
        assert offered[1].split(",") == list(choices)


def test_the_second_sheet_says_what_the_list_is_and_how_to_answer():
    rows = CalamineWorkbook.from_filelike(io.BytesIO(xlsx_bytes([]))).get_sheet_by_name("说明").to_python()
    said = dict(rows)
    assert said["性质"] == STATEMENT_ZH == "本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。"
    assert {"核查状态", "核查结论", "核查人", "反馈时间", "备注"} <= set(said)


def test_the_workbook_carries_no_time_of_its_making(alert):
    assert re.findall(r">(\d{4}-[^<]*)<", sheet_xml(xlsx_bytes([alert()]), "docProps/core.xml")) == [
        "2000-01-01T00:00:00Z",
        "2000-01-01T00:00:00Z",
    ]


def test_only_the_strongest_evidence_is_red():
    assert LEVEL_BY_GRADE == {"A": "红", "B": "黄", "C": "蓝"}


def test_jsonl_is_canonical_and_in_the_order_of_the_list():
    records = [
        {"lot_id": "L2", "detector": "a", "alert_id": "S1", "price": Decimal("1.50")},
        {"lot_id": "L1", "detector": "b", "alert_id": "S3", "at": datetime(2026, 11, 22, 1, 30, tzinfo=UTC)},
        {"alert_id": "S2", "detector": "a", "lot_id": "L1", "on": date(2026, 11, 22)},
    ]
    expected = (
        '{"alert_id":"S2","detector":"a","lot_id":"L1","on":"2026-11-22"}\n'
        '{"alert_id":"S3","at":"2026-11-22T01:30:00Z","detector":"b","lot_id":"L1"}\n'
        '{"alert_id":"S1","detector":"a","lot_id":"L2","price":"1.50"}\n'
    )
    for order in permutations(records):
        assert jsonl_bytes(order).decode() == expected


def test_jsonl_keeps_even_a_lone_surrogate():
    record = json.loads('{"alert_id":"S","lot_id":"L","detector":"d","name":"甲\\ud800"}')
    assert json.loads(jsonl_bytes([record])) == record


def test_jsonl_refuses_a_number_that_json_does_not_know():
    with pytest.raises(ValueError):
        jsonl_bytes([{"alert_id": "S", "lot_id": "L", "detector": "d", "score": float("nan")}])
