"""A draft of a mapping is read back: what matters is that the night reads the file by it, without an edit."""

import io
import json
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipelines.intake import first_mapping, mapping, vocabulary
from pipelines.intake.readers import FileRefused
from pipelines.intake.schema import table_schemas

CASES = Path(__file__).parents[2] / "cases"
FIRMS = ("河州甲建设有限公司", "河州乙建设有限公司", "河州丙建设有限公司")


def drafted(folder: Path, content: bytes, name: str) -> str:
    """Return the draft for a file, which loads as it is."""
    raw, work = folder / "raw", folder / "work"
    raw.write_bytes(content)
    work.mkdir(exist_ok=True)
    text = first_mapping.draft(raw, name, work).text
    (folder / "draft.toml").write_text(text, encoding="utf-8")
    mapping.load_file(folder / "draft.toml")
    return text


@pytest.fixture
def read_by_draft(make_county, tmp_path, unchecked):
    """Draft a mapping for a file and read the file by it; with an ``answer``, a person has edited the draft."""

    def read(content, name, answer=lambda text: text):
        content = content.encode() if isinstance(content, str) else content
        text = answer(drafted(tmp_path, content, name))
        (tmp_path / "county").mkdir(exist_ok=True)
        return text, make_county(tmp_path / "county", text).read(content, name)

    return read


def line_of(text: str, column: str) -> str:
    """The first line of a draft that fills a column, commented out or not."""
    return next(line for line in text.splitlines() if line.lstrip("# ").startswith(f"{column} = "))


def sheet(rows, merged=()) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as made:
        page = made.add_worksheet("开标记录")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
        for number in merged:
            page.merge_range(number, 0, number, 7, rows[number][0])
    return content.getvalue()


OPENING = sheet(
    [
        ["河州市公共资源交易中心开标记录表"],
        ["项目名称：第一小学工程    标段编号：HZ-001    开标时间：2026年5月6日上午9时30分"],
        ["招标人：河州市教育局    最高投标限价（万元）：1200    评标办法：综合评估法"],
        [
            "序号",
            "投标单位名称",
            "投标总报价（万元）",
            "工期（日历天）",
            "项目经理",
            "投标代表手机",
            "备注",
            "签字",
        ],
        *(
            [n + 1, firm, 1000 + 7.5 * n, "180日历天", "张三", f"1390000000{n}", "", ""]
            for n, firm in enumerate(FIRMS)
        ),
        ["合计", "", 3022.5],
    ],
    merged=(0, 1, 2),
)


def test_an_opening_sheet_is_read_by_its_draft_without_an_edit(read_by_draft):
    _, one = read_by_draft(OPENING, "开标记录表_20260506.xlsx")
    assert [(row["lot_id"], row["bidder_name"], row["price"]) for row in one.rows()] == [
        ("HZ-001", firm, Decimal(10_000_000 + 75_000 * n)) for n, firm in enumerate(FIRMS)
    ]
    assert set(one.values("duration_days")) == {180}
    lot = one.rows("lots")[0]
    assert (lot["tender_name"], lot["buyer_name"]) == ("第一小学工程", "河州市教育局")
    assert (lot["award_method"], lot["ceiling_price"]) == ("comprehensive_score", Decimal(12_000_000))
    assert f"{lot['opening_at']:%Y-%m-%d %H:%M}" == "2026-05-06 01:30"
    assert one.refused == []


def test_a_guess_is_marked_with_samples_and_likeness_and_a_known_heading_with_samples_only(tmp_path):
    text = drafted(tmp_path, OPENING, "开标记录表_20260506.xlsx")
    known = line_of(text, "bidder_name")
    assert "样例 河州甲建设有限公司" in known
    assert "待确认" not in known
    guess = line_of(
        drafted(tmp_path, "标段编号,投标单位名,投标报价（元）\nL1,甲公司,5\n".encode(), "a.csv"),
        "bidder_name",
    )
    assert 'from = ["投标单位名"]' in guess
    assert guess.endswith("/ to confirm")
    assert "相似度" in guess
    assert "样例 甲公司" in guess


def test_nothing_of_a_person_is_shown(tmp_path):
    rows = "L1,甲公司 13900000001,5,张三,13900000001,李四\n"
    heads = "标段编号,投标人名称,投标报价（元）,项目经理,手机,记录人\n"
    text = drafted(tmp_path, (heads + rows).encode(), "a.csv")
    assert "样例 L1" in text
    for hidden in ("张三", "13900000001", "李四", "甲公司"):
        assert hidden not in text
    assert "记录人" in text, "a column that is not used is named"
    priced = "标段编号,投标人名称,投标报价（元）\nL1,甲公司,见 13900000001\nL1,乙公司,5\n"
    assert "13900000001" not in line_of(drafted(tmp_path, priced.encode(), "a.csv"), "price")


def test_a_ledger_of_a_lot_number_inside_its_project_is_read_by_its_draft(read_by_draft):
    ledger = (
        "河州市交易台账\n"
        "序号;项目编号;标包号;项目名称;采购人;开标日期;预算金额(万元);评审办法;供应商名称;响应报价（元）;是否成交;备注\n"
        "1;CG-1;1;桌椅;财政局;2026/5/6;35.5;综合评分法;甲公司;300000;成交;\n"
        "2;CG-1;1;桌椅;财政局;2026/5/6;35.5;综合评分法;乙公司;310000;未成交;\n"
        "3;CG-1;2;桌椅;财政局;2026/5/6;20;最低评标价法;甲公司;190000;成交;\n"
    )
    _, one = read_by_draft(ledger.encode("gb18030"), "台账2026.csv")
    bids = [(row["lot_id"], row["bidder_name"], int(row["price"]), row["is_winner"]) for row in one.rows()]
    assert bids == [
        ("CG-1/1", "甲公司", 300_000, True),
        ("CG-1/1", "乙公司", 310_000, False),
        ("CG-1/2", "甲公司", 190_000, True),
    ]
    lots = {(r["lot_id"], r["award_method"], int(r["estimate_price"])) for r in one.rows("lots")}
    assert lots == {("CG-1/1", "comprehensive_score", 355_000), ("CG-1/2", "lowest_price", 200_000)}
    assert {f"{day}" for day in one.values("opening_on", "lots")} == {"2026-05-06"}


@pytest.mark.parametrize(
    ("headings", "values", "lot", "doubt"),
    [
        ("标段编号,项目编号,包号", "L1,P1,2", "L1", None),
        ("项目编号,包号", "P1,2", "P1/2", "由项目和包号组成"),
        ("项目名称,包号", "桌椅,2", "桌椅/2", "由项目和包号组成"),
        ("项目编号,项目名称", "P1,桌椅", "P1", "一个项目只有一个标段时才可用"),
        ("标段", "一标段", "一标段", "须在该来源全部文件中唯一"),
        ("标段名称", "一标段", "一标段", "名称须唯一"),
    ],
)
def test_the_lot_is_known_by_what_the_file_has_and_a_makeshift_is_to_be_confirmed(
    read_by_draft, headings, values, lot, doubt
):
    text, one = read_by_draft(f"{headings},投标人,投标报价（元）\n{values},甲公司,5\n", "a.csv")
    assert one.values("lot_id") == [lot]
    line = line_of(text, "lot_id")
    assert (doubt in line and "待确认" in line) if doubt else "待确认" not in line


def test_a_parquet_file_is_read_by_its_draft(read_by_draft):
    content = io.BytesIO()
    table = {
        "标段编码": ["L1", "L1"],
        "投标企业": ["甲公司", "乙公司"],
        "投标价（元）": [Decimal("1.50"), Decimal(2)],
    }
    pq.write_table(pa.table(table), content)
    _, one = read_by_draft(content.getvalue(), "bids_20260501.parquet")
    assert [(row["lot_id"], row["bidder_name"], row["price"]) for row in one.rows()] == [
        ("L1", "甲公司", Decimal("1.5")),
        ("L1", "乙公司", Decimal(2)),
    ]


@pytest.mark.parametrize(
    "name",
    ["sheets/n1_two_lots.xlsx", "sheets/n4_merged.xlsx", "sheets/a5_two_level.xlsx", "csv/c1_title.csv"],
)
def test_sheets_that_went_wrong_once_are_read_by_their_drafts(read_by_draft, make_county, tmp_path, name):
    content = (CASES / name).read_bytes()
    _, one = read_by_draft(content, Path(name).name)
    (tmp_path / "built in").mkdir()
    built_in = make_county(
        tmp_path / "built in", (mapping.BUILT_IN / "opening_sheets.toml").read_text("utf-8")
    )
    expected = built_in.read(content, Path(name).name)

    def bids(read):
        return [(row["lot_id"], row["bidder_name"], row["price"]) for row in read.rows()]

    assert bids(one) == bids(expected)
    assert len(bids(one)) >= 4


def test_a_price_without_a_unit_is_a_question_and_not_a_choice(read_by_draft):
    bids = "标段编号,投标人,投标报价\nL1,甲公司,102\n"
    text, one = read_by_draft(bids, "a.csv")
    assert line_of(text, "price").startswith("# price = ")
    assert "万元填 10000" in line_of(text, "price")
    assert one.values("price") == [None]
    _, answered = read_by_draft(
        bids, "a.csv", lambda text: text.replace("# price", "price").replace("unit = 1 ", "unit = 10000 ")
    )
    assert answered.values("price") == [Decimal(1_020_000)]


def test_a_unit_in_every_cell_is_proposed_and_one_without_is_a_question(read_by_draft, tmp_path):
    bids = '标段编号,投标人,投标报价\nL1,甲公司,102万元\nL1,乙公司,"1,286,500 元"\nL1,丙公司,弃标\n'
    text, one = read_by_draft(bids, "a.csv")
    assert 'unit_in_cell = { "元" = 1, "万元" = 10000 }' in line_of(text, "price")
    assert one.values("price") == [Decimal(1_020_000), Decimal(1_286_500), None]
    assert line_of(drafted(tmp_path, f"{bids}L1,丁公司,99\n".encode(), "a.csv"), "price").startswith(
        "# price"
    )


def test_a_unit_above_the_table_counts_for_its_prices(read_by_draft):
    content = sheet(
        [
            ["标段编号：L1", "单位：万元"],
            ["序号", "投标人", "投标报价"],
            [1, "甲公司", 102],
            [2, "乙公司", 99],
        ]
    )
    _, one = read_by_draft(content, "a.xlsx")
    assert one.values("price") == [Decimal(1_020_000), Decimal(990_000)]


def test_of_two_prices_the_one_that_is_known_by_itself_is_taken(read_by_draft):
    head = [
        ["标段编号：L1"],
        ["序号", "投标人", "投标报价（元）", "投标报价（元）"],
        ["", "", "首轮报价", "最终报价"],
    ]
    _, one = read_by_draft(sheet([*head, [1, "甲公司", 12, 10], [2, "乙公司", 13, 11]]), "a.xlsx")
    assert one.values("price") == [10, 11]


def test_two_headings_that_are_known_for_one_column_are_to_be_confirmed(tmp_path):
    text = drafted(
        tmp_path, "标段编号,投标人,投标报价（元）,最终报价（元）\nL1,甲公司,5,4\n".encode(), "a.csv"
    )
    assert 'from = ["投标报价"]' in line_of(text, "price")
    assert "也可能是 最终报价（元）" in line_of(text, "price")
    assert "待确认" in line_of(text, "price")


def test_two_columns_that_differ_by_their_unit_alone_are_a_question(tmp_path):
    text = drafted(
        tmp_path, "标段编号,投标人,投标报价（元）,投标报价（万元）\nL1,甲公司,10000,1\n".encode(), "a.csv"
    )
    assert line_of(text, "price").startswith("# price = ")
    assert "只能保留一列" in line_of(text, "price")


def test_a_lot_without_a_winner_makes_no_award_and_is_not_refused(make_county, tmp_path):
    ledger = (
        "标段编号,招标人,开标时间,中标人,中标价（元）\n"
        "L1,教育局,2026-05-06 09:30,甲公司,5\n"
        "L2,教育局,2026-05-07 09:30,/,\n"
    )
    text = drafted(tmp_path, ledger.encode(), "a.csv")
    (tmp_path / "county").mkdir()
    one = make_county(tmp_path / "county", text).read(ledger, "a.csv")
    assert one.values("lot_id", "lots") == ["L1", "L2"]
    assert [(row["lot_id"], row["winner_name"]) for row in one.rows("awards")] == [("L1", "甲公司")]
    assert one.refused == []


def test_days_of_an_unknown_order_are_a_question_and_of_a_certain_one_are_read(read_by_draft):
    text, _ = read_by_draft("标段编号,招标人,开标日期\nL1,教育局,03/04/2026\n", "a.csv")
    assert line_of(text, "opening_on").startswith(
        '# opening_on = { from = ["开标日期"], formats = ["%d/%m/%Y"] }'
    )
    assert "%m/%d/%Y" in text
    _, one = read_by_draft("标段编号,招标人,中标人,定标日期\nL1,教育局,甲公司,23/04/2026\n", "a.csv")
    assert [f"{day}" for day in one.values("awarded_on", "awards")] == ["2026-04-23"]


def test_a_word_that_nobody_knows_waits_for_a_person(tmp_path):
    text = drafted(tmp_path, "标段编号,评标办法\nL1,综合评估法\nL2,抽签法\n".encode(), "a.csv")
    assert '"综合评估法" = "comprehensive_score"' in text
    assert '# "抽签法" = ""  # 待确认: lowest_price、average_price、comprehensive_score' in text


def test_the_draft_says_what_the_file_does_not_have(tmp_path):
    text = drafted(tmp_path, "标段编号,投标人,备注,中标金额（元）\nL1,甲公司,,5\n".encode(), "a.csv")
    assert "# 未填 / not filled: bids.price 投标报价" in text
    assert "# 未填 / not filled: lots.award_method 评标办法" in text
    assert "# 未写入 / left out: awards (中标结果，一行一个中标人), 缺 / lacks 中标人 (winner)" in text
    assert "# 未使用的列 / columns not used: 备注、中标金额（元）" in text


@pytest.mark.parametrize(
    "heading",
    ['"投标人"', "投标人\n名称", "投标人]", "投标人\\", "投 标 人", "*投标人", "投标人\u202e", "投标人\x7f"],
)
def test_any_heading_gives_a_mapping_that_loads(tmp_path, heading):
    quoted = heading.replace('"', '""')
    bids = f'标段编号,"{quoted}",采购人,"备注 ""#"""\nL1,甲公司,乙公司,x\n'
    text = drafted(tmp_path, bids.encode(), "a.csv")
    assert "[[record]]" in text
    assert all(line.isprintable() for line in text.splitlines()), "nothing that a terminal obeys"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<R/>", "NO_TABLE"),
        (b'{"releases": []}', "HAS_A_MAPPING"),
        ("标段编号,投标人\n".encode(), "NO_RECORDS"),
        (b"a,b\n1,2\n", "NO_TABLE_FILLED"),
        (sheet([["a", "b"], ["c", "d"]]), "NO_HEADER"),
        (b"", "EMPTY_FILE"),
    ],
)
def test_a_file_of_which_no_mapping_can_be_made_says_why(tmp_path, content, code):
    with pytest.raises(FileRefused) as refused:
        drafted(tmp_path, content, "a.csv")
    assert refused.value.code == code
    assert refused.value.reason
    assert refused.value.reason_zh


def test_a_column_that_stands_twice_and_carries_the_table_is_named(tmp_path):
    with pytest.raises(FileRefused, match="columns 投标人名称, 投标人 名称 mean the same"):
        drafted(tmp_path, "标段编号,投标人名称,投标人 名称\nL1,甲公司,乙公司\n".encode(), "a.csv")


def test_columns_that_stand_twice_and_are_not_needed_refuse_nothing(read_by_draft):
    text, one = read_by_draft(
        "标段编号,投标人,联系电话,投标报价（元）,联系电话,备注,备注\nL1,甲公司,1,5,2,,\n", "a.csv"
    )
    assert one.values("price") == [5]
    assert "未使用的列 / columns not used: 联系电话、联系电话 (2)、备注、备注 (2)" in text


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("开标一览表_20261101.xlsx", "开标一览表_*.xlsx"),
        ("2026年5月台账.csv", "*台账.csv"),
        ("2026-05-06 开标.csv.gz", "* 开标.csv.gz"),
        ("bids [new].csv", "bids [[]new].csv"),
        ("ledger.csv", "ledger.csv"),
    ],
)
def test_later_files_of_the_sender_go_by_the_pattern(name, pattern):
    assert first_mapping.pattern_of(name) == pattern


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("招标人名称", "投标人名称"),
        ("投标人代码", "投标人名称"),
        ("中标时间", "投标时间"),
        ("招标代理机构", "招标人机构"),
        ("联系人电话", "投标人电话"),
        ("项目负责人", "项目名称"),
    ],
)
def test_names_that_are_alike_and_mean_other_things_are_kept_apart(name, other):
    assert not vocabulary.may_be_one(name, other)


@pytest.mark.parametrize(
    ("heading", "table", "column"),
    [
        ("供应商名称", "bids", "bidder_name"),
        ("投标报价（万元） > 最终报价", "bids", "price"),
        ("投标单位", "deposits", "bidder_name"),
        ("评标办法", "lots", "award_method"),
        ("BID_PRICE", "bids", "price"),
        ("bidder_name", "bids", "bidder_name"),
        ("head:最高投标限价（元）", "lots", "ceiling_price"),
    ],
)
def test_known_headings_are_known(heading, table, column):
    best = vocabulary.known().guesses(heading, table)[0]
    assert (best.column, best.score) == (column, vocabulary.EXACT)


def test_every_known_heading_names_one_column_that_exists():
    more = tomllib.loads(
        (Path(vocabulary.__file__).parent / "known_headings.toml").read_text(encoding="utf-8")
    )
    for setting in ("nothing", "lot_number", "words"):
        del more[setting]
    for table, columns in more.items():
        assert set(columns) <= set(table_schemas()[table].columns), table
        names = Counter(vocabulary.compared(name) for headings in columns.values() for name in set(headings))
        assert [name for name, times in names.items() if times > 1] == [], table


def test_a_price_of_two_levels_of_which_one_states_the_unit_is_read(read_by_draft):
    """序号, 标段编号 and 投标人 are merged downwards, 投标报价 lies over 大写 and 小写（元）."""
    content = sheet(
        [
            ["河州市工程建设项目开标记录表"],
            ["序号", "标段编号", "投标人", "投标报价", "投标报价", "工期"],
            ["序号", "标段编号", "投标人", "大写", "小写（元）", ""],
            *([n + 1, "L1", firm, "壹佰万元整", 1_000_000 + n, "90天"] for n, firm in enumerate(FIRMS)),
        ]
    )
    _, one = read_by_draft(content, "a.xlsx")
    assert one.values("price") == [1_000_000, 1_000_001, 1_000_002]
    assert set(one.values("duration_days")) == {90}


def test_a_day_number_of_a_spreadsheet_is_no_second_of_1970(read_by_draft):
    ledger = "标段编号,投标人,投标报价（元）,开标日期\nL1,甲公司,5,46175\n"
    text, one = read_by_draft(ledger, "a.csv")
    assert 'formats = ["serial"]' in line_of(text, "opening_on")
    assert [f"{day}" for day in one.values("opening_on", "lots")] == ["2026-06-02"]


# ---- JSON, and what needs no mapping


def test_records_of_json_are_found_where_they_stand_and_read_by_their_draft(read_by_draft):
    document = {
        "page": 1,
        "list": [{"a": 1}],
        "data": {
            "lots": [
                {
                    "标段编号": "L1",
                    "开标时间": "2026-05-06 09:30",
                    "投标": [
                        {"投标人名称": f, "报价": {"投标报价（元）": n}} for n, f in enumerate(FIRMS, 5)
                    ],
                }
            ]
        },
    }
    text, one = read_by_draft(json.dumps(document, ensure_ascii=False), "opening_1.json")
    assert 'records = "data.lots[].投标"' in text
    assert [(row["lot_id"], row["bidder_name"], row["price"]) for row in one.rows()] == [
        ("L1", firm, n) for n, firm in enumerate(FIRMS, 5)
    ]
    assert one.values("lot_id", "lots") == ["L1"] * 3


def test_the_answer_of_a_service_is_read_by_its_draft(read_by_draft):
    """The unit stands beside the price, and what is around the records is not taken for what it resembles."""
    bids = [
        {"bidSectionCode": "L1", "bidderName": firm, "bidPrice": n, "priceUnit": "万元"}
        for n, firm in enumerate(FIRMS, 5)
    ]
    answer = {"code": 200, "msg": "ok", "data": {"total": 3, "records": bids}}
    text, one = read_by_draft(json.dumps(answer), "api.json")
    assert "../" not in text.partition("# 未使用的列")[0]
    assert one.values("price") == [50_000, 60_000, 70_000]


def test_json_lines_are_drafted(read_by_draft):
    lines = "".join(json.dumps({"标段编号": "L1", "投标人": f, "投标报价（万元）": 7}) + "\n" for f in FIRMS)
    _, one = read_by_draft(lines, "a.jsonl")
    assert one.values("price") == [70_000] * 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"releases": [{"ocid": "o1", "tender": {}}]}', "source 'ocds'"),
        ('{"ocid": "o1"}\n{"ocid": "o2"}\n', "source 'ocds'"),
        ('{"TITLE": {"DATA_EN": "TENDER_LIST"}, "CONTEXT": {}}', "source 'national'"),
        (
            "<DES><TITLE><DATA_EN>TENDER_LIST</DATA_EN></TITLE><CONTEXT><A>1</A></CONTEXT></DES>",
            "source 'national'",
        ),
        ("<rows><row><a>1</a></row></rows>", "CSV"),
        ('{"a": [{"b": 1}]}', "by hand"),
    ],
)
def test_what_a_built_in_source_reads_or_nobody_does_is_said(tmp_path, content, said):
    with pytest.raises(FileRefused) as refused:
        drafted(tmp_path, content.encode(), "a.json")
    assert said in refused.value.reason


# ---- several winners in a cell


def test_several_winners_in_a_cell_are_split_with_what_stands_beside_them(read_by_draft):
    ledger = (
        "标段编号,中标单位,中标金额（元）,中标日期\n"
        f"L1,{FIRMS[0]}、{FIRMS[1]},100、200,2026-05-06\n"
        f"L2,{FIRMS[2]},300,2026-05-07\n"
    )
    text, one = read_by_draft(ledger, "results.csv")
    assert "待确认" in next(line for line in text.splitlines() if line.startswith("split = "))
    found = [(row["winner_name"], row["price"]) for row in one.rows("awards")]
    assert found == [(FIRMS[0], 100), (FIRMS[1], 200), (FIRMS[2], 300)]


@pytest.mark.parametrize(
    "winner", [f"{FIRMS[0]}、{FIRMS[1]}联合体", f"{FIRMS[0]}（成员：{FIRMS[1]}、{FIRMS[2]}）"]
)
def test_a_joint_venture_is_one_winner(tmp_path, winner):
    ledger = f"标段编号,中标单位,中标金额（元）,中标日期\nL1,{winner},100,2026-05-06\n"
    assert "split = " not in drafted(tmp_path, ledger.encode(), "results.csv")
