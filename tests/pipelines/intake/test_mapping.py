import pytest

from pipelines.intake import mapping
from pipelines.intake.readers import FileRefused, headings
from pipelines.intake.schema import table_schemas

MINIMAL = """
title = "a centre"
country = "CN"
time_zone = "Asia/Shanghai"
[dictionaries.method]
"最低价" = "lowest_price"
[[file]]
match = ["*.csv"]
format = "delimited"
section = "lots"
[[record]]
section = "lots"
table = "lots"
[record.columns]
lot_id = { from = ["标段编号", "BID_SECTION_CODE"] }
"""


@pytest.fixture
def load(tmp_path):
    def load_text(text):
        path = tmp_path / "centre.toml"
        path.write_text(text, encoding="utf-8")
        return mapping.load_file(path)

    return load_text


def test_a_mapping_says_where_each_column_comes_from(load):
    loaded = load(MINIMAL + 'lot_name = { from = ["标段名称"] }\n')
    (rule,) = loaded.records
    assert (loaded.source, rule.table) == ("centre", "lots")
    assert rule.columns["lot_id"].source == ("标段编号", "BID_SECTION_CODE")
    assert rule.columns["lot_id"].required, "the schema requires it, so the file must have it"
    assert not rule.columns["lot_name"].required


@pytest.mark.parametrize(
    ("line", "says"),
    [
        # a unit is never guessed
        ('ceiling_price = { from = ["限价"] }', "money needs one of unit"),
        ('ceiling_price = { from = ["限价"], unit = 1, unit_in_header = true }', "money needs one of unit"),
        ('ceiling_price = { from = ["限价"], unit_from = ["单位"] }', "unit_from and units belong together"),
        ('ceiling_price = { from = ["限价"], unit = 0 }', "no number above zero"),
        ('ceiling_price = { from = ["限价"], unit = -1 }', "no number above zero"),
        ('ceiling_price = { from = ["限价"], unit = "万元" }', "no number above zero"),
        ('ceiling_price = { from = ["限价"], unit = true }', "no number above zero"),
        ('ceiling_price = { from = ["限价"], unit = 0.0000001 }', "up to six decimals"),
        ('ceiling_price = { from = ["限价"], unit = 1, decimals = 9 }', "from 0 to 6"),
        ('discount_share = { from = ["下浮率"] }', "a share needs one of unit"),
        ('lot_name = { from = ["标段名称"], unit = 1 }', "a text has no unit"),
        ('lot_name = { from = ["标段名称"], decimals = 2 }', "decimals is for money"),
        (
            'ceiling_price = { from = ["限价"], unit = 1, unit_in_cell = { "M" = 1 } }',
            "money needs one of unit",
        ),
        ('ceiling_price = { from = ["限价"], unit_in_cell = true }', "write unit_in_cell"),
        ('ceiling_price = { from = ["限价"], unit_in_cell = { "M" = 0 } }', "no number above zero"),
        ('ceiling_price = { from = ["限价"], unit_in_cell = { "M" = 1, "m" = 2 } }', "one word in two cases"),
        ('discount_share = { from = ["下浮率"], unit_in_cell = { "M" = 1 } }', "a share needs one of unit"),
        ('lot_name = { from = ["标段名称"], unit_in_cell = { "M" = 1 } }', "a text has no unit"),
        ('lot_name = { from = ["标段名称"], decimal = "," }', "decimal is"),
        ('ceiling_price = { from = ["限价"], unit = 1, decimal = ";" }', "decimal is"),
        ('lot_name = { from = ["标段名称"], formats = ["serial"] }', "a text has no formats"),
        ('opening_at = { from = ["开标"], formats = ["epoch", "serial"] }', "stand alone"),
        # words that the schema does not know
        ('award_method = { from = ["评标办法"], values = { "低价" = "lowest" } }', "'lowest' is none of"),
        ('award_method = { constant = "cheapest" }', "'cheapest' is none of"),
        ('award_method = { from = ["评标办法"], dictionary = "methods" }', "not in [dictionaries]"),
        # settings that mean nothing
        ('price = { from = ["报价"], unit = 1 }', "lots has no such column"),
        ('lot_name = { from = ["标段名称"], fallback = "x" }', "fallback"),
        (
            'lot_name = { from = ["标段名称"], constant = "x" }',
            "exactly one of from, join, first_filled, constant, row, place",
        ),
        ("lot_name = { }", "exactly one of from, join, first_filled, constant, row, place"),
        ('lot_name = "标段名称"', "write { from"),
        ("lot_name = { from = 3 }", "neither a text nor a list"),
        ('lot_name = { from = ["标段名称"], values = ["x"] }', "wrong shape"),
        ('lot_name = { from = ["标段名称"], formats = ["%Y"] }', "a text has no formats"),
        ('opening_at = { from = ["开标"], formats = ["iso", "%Y%m%d"] }', "stand alone"),
        ('lot_name = { from = ["标段名称"], pattern = "(" }', "pattern"),
        ('lot_name = { from = ["标段名称"], pattern = "(?=x)(x)" }', "pattern"),
        ('lot_name = { from = ["标段名称"], pattern = "x+" }', "round brackets"),
        # whole rules
        ('[[record]]\nsection = "lots"\ntable = "lot"\n[record.columns]', "no table called 'lot'"),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nonly = 1\n[record.columns]',
            "unknown setting ['only']",
        ),
        (
            '[[record]]\nsection = "bids"\ntable = "bids"\n[record.columns]\nlot_id = { from = ["x"] }',
            "'bidder' is required and has no source",
        ),
        (
            '[[record]]\nsection = "names"\ntable = "lots"\nonly_with = ["lot_name"]\n[record.columns]\n'
            'lot_id = { from = ["x"] }\nlot_name = { from = ["y"] }',
            "may not use only_with",
        ),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nonly_with = ["1; DROP TABLE x"]\n[record.columns]\n'
            'lot_id = { from = ["x"] }',
            "which this rule does not fill",
        ),
        ("rank = { place = true }", "lots has no such column"),
        ("lot_name = { place = true }", "this rule has no split"),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nonly_when = ["有效"]\n[record.columns]',
            "write only_when",
        ),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nonly_when = { "状态" = [] }\n[record.columns]',
            "no word at all",
        ),
        ('[[record]]\nsection = "lots"\ntable = "lots"\nsplit = "标段"\n[record.columns]', "write split"),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nsplit = { from = "标段" }\n[record.columns]',
            "write split",
        ),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nsplit = { from = "标段", at = "和" }\n[record.columns]',
            "no letters or brackets",
        ),
        (
            '[[record]]\nsection = "lots"\ntable = "lots"\nsplit = { from = "标段", at = "、" }\n'
            'only_when = { "标段" = ["1"] }\n[record.columns]',
            "'标段' is split",
        ),
        ('[[file]]\nmatch = ["*.dbf"]\nformat = "dbase"', "no format 'dbase'"),
        (
            '[[file]]\nmatch = ["*"]\nformat = "delimited"\nrecords = "lots"',
            "records is for json, and this format is delimited",
        ),
        ('[[file]]\nmatch = ["*"]\nformat = "json"\nrecords = "lots[0]"', "'lots[0]' is no path"),
        ('[[file]]\nmatch = ["*"]\nformat = "json"\nrecords = ["lots"]', "write records"),
        ('[[file]]\nmatch = ["*"]\nformat = "workbook"\nskip = 1', "skip is for delimited"),
        ('[[file]]\nmatch = ["*"]\nformat = "json"\nheader = ["x"]', "header is for delimited and workbook"),
        ('[[file]]\nmatch = ["*.xls"]\nformat = "workbook"\nsheet = 1', "sheet"),
    ],
)
def test_what_a_mapping_cannot_mean_is_refused_before_any_file_is_read(load, line, says):
    with pytest.raises(ValueError, match=r"centre\.toml") as refused:
        load(MINIMAL + line + "\n")
    assert says in str(refused.value)


@pytest.mark.parametrize("setting", ["title", "country", "time_zone", "[[file]]", "[[record]]"])
def test_a_missing_part_is_named(load, setting):
    without = MINIMAL.split(setting)[0] + (
        "" if setting == "[[record]]" else MINIMAL.split(setting)[1].split("\n", 1)[1]
    )
    with pytest.raises(ValueError, match=r"centre\.toml: .*(is missing|unknown|Expected|not)"):
        load(without)


@pytest.mark.parametrize("zone", ["Asia/Xiuwu", "../../etc/passwd", "x' || 'y"])
def test_a_time_zone_must_exist(load, zone):
    with pytest.raises(ValueError, match="no time zone called"):
        load(MINIMAL.replace("Asia/Shanghai", zone))


def test_broken_toml_names_the_file_and_the_line(load):
    with pytest.raises(ValueError, match=r"centre\.toml: .*line 2"):
        load("\ntitle = \n")


def test_one_pattern_without_brackets_is_one_pattern(load):
    loaded = load(MINIMAL.replace('match = ["*.csv"]', 'match = "*.csv"'))
    assert loaded.rule_for("x.csv").format == "delimited"
    with pytest.raises(FileRefused):
        loaded.rule_for("x.exe")


def test_a_file_that_no_rule_expects_is_refused_by_name(load):
    with pytest.raises(FileRefused) as refused:
        load(MINIMAL).rule_for("x.pdf")
    assert refused.value.code == "NO_FILE_RULE"
    assert "*.csv" in refused.value.reason
    assert "*.csv" in refused.value.reason_zh


def test_the_first_file_rule_that_fits_is_used_whatever_the_case(load):
    more = '[[file]]\nmatch = ["*"]\nformat = "workbook"\n'
    loaded = load(MINIMAL.replace("[[record]]", more + "[[record]]"))
    assert loaded.rule_for("BIDS.CSV").format == "delimited"
    assert loaded.rule_for("bids.xlsx").format == "workbook"


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("投标报价（万元）", "投标报价", "万元"),
        ("投标报价(元)", "投标报价", "元"),
        ("投标 报价 （亿元）", "投标报价", "亿元"),
        ("下浮率（％）", "下浮率", "%"),
        ("工期（日历天）", "工期(日历天)", None),
        ("投标报价（美元）", "投标报价(美元)", None),
        ("万元", "万元", None),
        ("投标报价（万元）备注", "投标报价(万元)备注", None),
        ("投标报价（人民币元）", "投标报价", "元"),
        ("投标报价（人民币：万元）", "投标报价", "万元"),
        ("投标报价（万）", "投标报价", "万元"),
        ("投标报价（单位：万元）", "投标报价", "万元"),
        ("投标报价（单位:元）", "投标报价", "元"),
        ("投标报价(元/人民币)", "投标报价", "元"),
        ("投标报价【万元】", "投标报价", "万元"),
        ("*投标报价（元）", "投标报价", "元"),
        ("投标报价（小写）（元）", "投标报价", "元"),
        ("投标报价\n（含税，元）", "投标报价", "元"),
        ("投标报价（含税）（百万元）", "投标报价", "百万元"),
        ("投标报价：万元", "投标报价", "万元"),
        ("投标报价/万元", "投标报价", "万元"),
        ("投标报价 元", "投标报价", "元"),
        ("投标报价（RMB 元）", "投标报价", "元"),
        ("投标报价（￥）", "投标报价", None),
        ("投标报价（大写）", "投标报价(大写)", None),
        ("投标报价（元/吨）", "投标报价(元/吨)", None),
        ("投标报价（第二轮）", "投标报价(第二轮)", None),
    ],
)
def test_a_heading_is_its_name_and_the_unit_it_states(header, name, unit):
    assert headings.base_name(header) == (name, unit)


@pytest.mark.parametrize(
    "columns",
    [("投标报价（元）", "投标报价（大写）"), ("投标报价 > 小写", "投标报价（元）"), ("id", "投标报价（元）")],
)
def test_a_column_of_another_meaning_does_not_make_a_heading_ambiguous(columns):
    assert headings.find_column(("投标报价", "ID2"), columns) == "投标报价（元）"


def test_the_header_is_found_by_the_headings_that_are_columns():
    for heading in ("投标报价（人民币元）", "投标报价（大写）", "报价情况 > 投标报价（元）", "x"):
        assert headings.is_one_of(heading, ("投标报价",)) == (
            headings.find_column(("投标报价",), (heading,)) is not None
        )


def test_a_column_is_found_under_any_of_its_names():
    assert headings.find_column(("投标报价", "BID_PRICE"), ("x", "BID_PRICE")) == "BID_PRICE"
    assert headings.find_column(("投标报价",), ("投标报价（万元）",)) == "投标报价（万元）"
    assert headings.find_column(("投标报价",), ("报价",)) is None


@pytest.mark.parametrize(
    "columns", [("投标报价（元）", "投标报价（万元）"), ("投标报价", "BID_PRICE"), ("投标报价", "投标 报价")]
)
def test_two_columns_of_one_meaning_refuse_the_file_and_both_are_named(columns):
    with pytest.raises(FileRefused) as refused:
        headings.find_column(("投标报价", "BID_PRICE"), columns)
    assert refused.value.code == "DOUBLED_COLUMN"
    assert all(column in refused.value.reason and column in refused.value.reason_zh for column in columns)


def test_personal_columns_are_known_by_the_senders_names(load):
    text = MINIMAL.replace('table = "lots"', 'table = "bids"') + (
        'bidder_name = { from = ["投标人"] }\nagent_phone = { from = ["联系 电话"] }\n'
        'agent = { join = [["姓"], ["名"]] }\n'
    )
    assert load(text).personal_columns() == {"联系电话", "姓", "名"}


def test_one_rule_may_serve_several_sections(load):
    loaded = load(MINIMAL.replace('section = "lots"\ntable', 'section = ["SECTION", "GY_SECTION"]\ntable'))
    assert [(rule.section, rule.table) for rule in loaded.records] == [
        ("SECTION", "lots"),
        ("GY_SECTION", "lots"),
    ]


def test_a_mapping_of_the_home_comes_before_the_built_in_one(tmp_path):
    assert mapping.path_of("national", tmp_path).parent == mapping.BUILT_IN
    (tmp_path / "national.toml").write_text(MINIMAL, encoding="utf-8")
    assert mapping.load("national", tmp_path).title == "a centre"
    assert "national" in mapping.names(tmp_path)


def test_an_unknown_source_is_answered_with_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"no mapping called 'nowhere'; there are .*national"):
        mapping.load("nowhere")


@pytest.mark.parametrize("source", mapping.names())
def test_every_built_in_mapping_means_something(source):
    loaded = mapping.load(source)
    assert {rule.table for rule in loaded.records} <= set(table_schemas())


def test_any_change_of_the_text_is_another_version(load):
    assert load(MINIMAL).version != load(MINIMAL + "# a remark\n").version
