"""Which rows a record makes: none by ``only_when``, several by ``split``."""

from decimal import Decimal

import pytest

HEAD = """
title = "a ledger kept by hand"
country = "CN"
time_zone = "Asia/Shanghai"
[[file]]
match = ["*.csv"]
format = "delimited"
"""

AWARDS = (
    HEAD
    + """
[[record]]
table = "awards"
{rule}
[record.columns]
lot_id = {{ from = ["标段编号"] }}
winner_name = {{ from = ["中标人"] }}
price = {{ from = ["中标价"], unit = 1 }}
project_lead = {{ from = ["负责人"] }}
"""
)


@pytest.fixture
def awards(tmp_path, make_county):
    """Read a ledger of awards by a mapping with these settings of its rule."""

    def read(rule, *lines, header="标段编号,中标人,中标价,负责人,状态"):
        county = make_county(tmp_path, AWARDS.format(rule=rule))
        return county, county.read("\n".join([header, *lines]) + "\n", "ledger.csv")

    return read


def winners(taken):
    return [(row["lot_id"], row["winner_name"]) for row in taken.rows("awards")]


# --- only_when ---------------------------------------------------------------------------------


def test_a_record_makes_a_row_only_when_its_words_are_accepted(awards):
    county, taken = awards(
        'only_when = { "状态" = ["有效", "ＶＡＬＩＤ"] }',
        "L1,甲公司,100,,有效",
        "L2,乙公司,100,,作废",
        "L3,丙公司,100,, valid ",
        "L4,丁公司,100,,",
    )
    assert winners(taken) == [("L1", "甲公司"), ("L3", "丙公司")]
    (section,) = taken.report.sections
    assert (section.records, section.refused, section.left_out) == (4, 0, 2)
    assert section.without_row == {"awards": 2}
    assert (taken.report.records, taken.report.left_out) == (2, 2), (
        "what is left out is counted beside the others"
    )
    assert county.night().account(taken)["loaded"] == taken.report.records
    said = " ".join(taken.report.notes)
    assert "2 records make no row of awards" in said
    assert "2条记录未采用" in said


def test_an_empty_word_accepts_an_empty_cell_and_every_condition_must_hold(awards):
    rule = 'only_when = { "状态" = ["", "有效"], "负责人" = ["张三"] }'
    _, taken = awards(rule, "L1,甲公司,1,张三,", "L2,乙公司,1,,有效", "L3,丙公司,1,张三,有效")
    assert winners(taken) == [("L1", "甲公司"), ("L3", "丙公司")]


def test_a_record_whose_condition_cannot_be_read_is_refused_and_not_left_out(awards):
    county, taken = awards(
        'only_when = { "状态" = ["有效"] }', "L1,甲公司,1,,有\x07效", "L2,乙公司,1,,有效", "L3,丙公司,1,,作废"
    )
    assert winners(taken) == [("L2", "乙公司")]
    assert [(row, code) for row, _, code in taken.codes] == [(2, "UNREADABLE_VALUE")]
    assert "only_when" in taken.refused[0]["reason_zh"]
    assert (taken.report.records, taken.report.refused, taken.report.left_out) == (2, 1, 1)
    assert county.night().account(taken)["loaded"] == 1


def test_a_condition_on_a_column_that_is_not_there_refuses_the_file(awards):
    _, taken = awards('only_when = { "审核" = ["通过"] }', "L1,甲公司,100,,有效")
    assert (taken.report.state, taken.report.code) == ("refused", "MISSING_COLUMN")
    assert "审核" in taken.report.reason_zh


def test_what_is_left_out_is_neither_refused_nor_kept_in_the_vault(awards):
    _, taken = awards('only_when = { "状态" = ["有效"] }', "L1,甲公司,100,李四,作废", ",,,,作废")
    assert (taken.rows("awards"), taken.refused, taken.report.left_out) == ([], [], 2)
    assert taken.report.state == "readable"
    assert taken.rows("sealed") == []


def test_a_record_that_another_rule_takes_is_not_left_out(tmp_path, make_county):
    both = AWARDS.format(rule='only_when = { "状态" = ["有效"] }') + (
        '[[record]]\ntable = "lots"\n[record.columns]\nlot_id = { from = ["标段编号"] }\n'
    )
    county = make_county(tmp_path, both)
    taken = county.read("标段编号,中标人,中标价,负责人,状态\nL1,甲公司,1,,有效\nL2,,,,流标\n", "ledger.csv")
    (section,) = taken.report.sections
    assert (section.left_out, section.without_row) == (0, {"awards": 1})
    assert taken.values("lot_id", "lots") == ["L1", "L2"]
    assert county.night().account(taken)["loaded"] == taken.report.records == 2


# --- split -------------------------------------------------------------------------------------

AT = 'split = { from = ["中标人"], at = "、;" }'


def test_every_value_of_a_cell_becomes_a_row_and_keeps_its_record(awards):
    county, taken = awards(AT, "L1,甲公司、乙公司 ；丙公司,100,张三,", "L2,丁公司,7,,")
    assert winners(taken) == [("L1", "甲公司"), ("L1", "乙公司"), ("L1", "丙公司"), ("L2", "丁公司")]
    assert taken.values("raw_row", "awards") == [2, 2, 2, 3]
    assert taken.values("price", "awards") == [Decimal(100)] * 3 + [Decimal(7)]
    assert county.night().account(taken) == {"loaded": 2, "duplicate": 0, "conflict": 0, "held": 0}


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("甲公司（成员：乙、丙）、丁公司", ["甲公司（成员：乙、丙）", "丁公司"]),
        ("甲公司、、乙公司、", ["甲公司", "乙公司"]),
        ("甲公司（乙、丙", ["甲公司（乙", "丙"]),
        ("甲公司、甲公司", ["甲公司", "甲公司"]),
    ],
)
def test_brackets_hold_together_and_nothing_between_two_marks_is_no_value(awards, cell, names):
    _, taken = awards(AT, f"L1,{cell},100,,")
    assert taken.values("winner_name", "awards") == names


def test_a_cell_without_a_value_stays_one_row(awards):
    _, taken = awards(AT, "L1,、,100,,", "L2,,100,,", "L3,甲公司、乙公司,100,,")
    assert [code for _, _, code in taken.codes] == ["AWARD_WITHOUT_WINNER"], "the empty cell"
    assert winners(taken) == [("L1", "、"), ("L3", "甲公司"), ("L3", "乙公司")]


def test_a_record_with_one_bad_value_is_refused_as_a_whole(awards):
    _, taken = awards(AT, "L1,甲公司、无,100,,", "L2,乙公司,100,,")
    assert winners(taken) == [("L2", "乙公司")]
    assert taken.report.refused == 1


def test_the_place_in_the_cell_may_be_the_rank(tmp_path, make_county):
    county = make_county(
        tmp_path,
        HEAD
        + '[[record]]\ntable = "candidates"\nsplit = { from = ["候选人"], at = "、" }\n[record.columns]\n'
        'lot_id = { from = ["标段编号"] }\ncandidate_name = { from = ["候选人"] }\nrank = { place = true }\n',
    )
    taken = county.read("标段编号,候选人\nL1,甲公司、乙公司\nL2,丙公司\n", "ledger.csv")
    found = [(row["lot_id"], row["candidate_name"], row["rank"]) for row in taken.rows("candidates")]
    assert found == [("L1", "甲公司", 1), ("L1", "乙公司", 2), ("L2", "丙公司", 1)]


BESIDE = 'split = { from = ["中标人"], at = "、;", beside = [["成交价", "中标价"], ["负责人"]] }'


def test_columns_that_hold_as_many_values_are_split_side_by_side(awards):
    _, taken = awards(BESIDE, "L1,甲公司、乙公司,100;200,,", "L2,丙公司,7,张三,")
    assert winners(taken) == [("L1", "甲公司"), ("L1", "乙公司"), ("L2", "丙公司")]
    assert taken.values("price", "awards") == [100, 200, 7]
    assert [token is None for token in taken.values("project_lead", "awards")] == [True, True, False]


@pytest.mark.parametrize("row", ["L1,甲公司、乙公司,100,,", "L1,甲公司,100、200,,", "L1,,100、200,,"])
def test_a_record_of_which_nobody_knows_what_belongs_together_is_refused(awards, row):
    _, taken = awards(BESIDE, row, "L2,丙公司,7,,")
    assert winners(taken) == [("L2", "丙公司")]
    assert "UNEVEN_CELLS" in [code for _, _, code in taken.codes]
    assert taken.report.refused == 1


def test_a_split_of_a_column_that_is_not_there_refuses_the_file(awards):
    _, taken = awards('split = { from = ["中标单位"], at = "、" }', "L1,甲公司,100,,")
    assert taken.report.code == "MISSING_COLUMN"


# --- a whole ledger ----------------------------------------------------------------------------

LEDGER = """标段编号,限价(万元),开标时间,评标办法,投标人数,中标人,中标价(元),第一候选人,第二候选人,第三候选人,招标异常
L1,1200.5,2026-05-06 09:30:00,综合评估法,7,甲公司,11234567.89,甲公司,乙公司,丙公司,
L2,800,2026/5/7 9:00,经评审的最低投标价法(施工),3,乙公司、丁公司,7654321,乙公司,,,
L3,500,2026/5/8 9:00,合理低价法,2,,,,,,流标
"""

CANDIDATES = """
[[record]]
table = "candidates"
only_with = ["candidate_name"]
[record.columns]
lot_id = {{ from = ["标段编号"] }}
candidate_name = {{ from = ["{place}候选人"] }}
rank = {{ constant = "{rank}" }}
"""

LEDGER_MAPPING = (
    HEAD
    + """
[dictionaries.method]
"综合评估法" = "comprehensive_score"
"合理低价法" = "average_price"
"经评审的最低投标价法(施工)" = "lowest_price"
[[record]]
table = "lots"
[record.columns]
lot_id = { from = ["标段编号"] }
tender_id = { from = ["标段编号"] }
ceiling_price = { from = ["限价"], unit_in_header = true }
currency = { constant = "CNY" }
opening_at = { from = ["开标时间"] }
bidder_count = { from = ["投标人数"] }
award_method = { from = ["评标办法"], dictionary = "method" }
status = { from = ["招标异常"], values = { "流标" = "unsuccessful" } }
[[record]]
table = "awards"
only_when = { "招标异常" = [""] }
split = { from = ["中标人"], at = "、" }
[record.columns]
lot_id = { from = ["标段编号"] }
winner_name = { from = ["中标人"] }
price = { from = ["中标价"], unit_in_header = true }
currency = { constant = "CNY" }
"""
    + "".join(
        CANDIDATES.format(place=place, rank=rank) for rank, place in enumerate(("第一", "第二", "第三"), 1)
    )
)


def test_a_ledger_of_one_row_a_lot_loads_wholly(tmp_path, make_county):
    county = make_county(tmp_path, LEDGER_MAPPING)
    taken = county.read(LEDGER, "ledger.csv")
    assert taken.report.state == "readable", taken.report.reason
    (section,) = taken.report.sections
    assert (section.records, section.refused, section.left_out, section.unread) == (3, 0, 0, {})
    assert section.tables == ["lots", "awards", "candidates"]
    assert taken.values("ceiling_price", "lots") == [
        Decimal(12_005_000),
        Decimal(8_000_000),
        Decimal(5_000_000),
    ]
    assert [f"{at:%m-%d %H:%M}" for at in taken.values("opening_at", "lots")] == [
        "05-06 01:30",
        "05-07 01:00",
        "05-08 01:00",
    ]
    assert winners(taken) == [("L1", "甲公司"), ("L2", "乙公司"), ("L2", "丁公司")]
    ranked = [(row["lot_id"], row["rank"], row["candidate_name"]) for row in taken.rows("candidates")]
    assert ranked == [("L1", 1, "甲公司"), ("L2", 1, "乙公司"), ("L1", 2, "乙公司"), ("L1", 3, "丙公司")]
    assert county.night().account(taken)["loaded"] == 3


# --- plain JSON --------------------------------------------------------------------------------

PORTAL = """
title = "a portal"
country = "CN"
time_zone = "Asia/Shanghai"
[[file]]
match = ["*.json"]
format = "json"
records = { lots = "data.lots", bids = "data.lots[].bids" }
[[record]]
section = "lots"
table = "lots"
[record.columns]
lot_id = { from = ["lot.no"] }
tender_id = { from = ["../tender"] }
ceiling_price = { from = ["lot.ceiling"], unit = 1 }
[[record]]
section = "bids"
table = "bids"
[record.columns]
lot_id = { from = ["../lot.no"] }
bidder_name = { from = ["bidder.name"] }
price = { from = ["price"], unit = 1 }
"""


def test_one_json_document_gives_lots_and_their_bids(tmp_path, make_county):
    county = make_county(tmp_path, PORTAL)
    document = """{"tender": "T1", "data": {"lots": [
        {"lot": {"no": "L1", "ceiling": 1.25E6}, "bids": [
            {"bidder": {"name": "甲公司"}, "price": 1234567.89}, {"bidder": {"name": "乙公司"}, "price": 0.000001}]},
        {"lot": {"no": "L2"}, "bids": []}]}}"""
    taken = county.read(document, "page_1.json")
    assert taken.report.state == "readable", taken.report.reason
    lots = [(row["lot_id"], row["tender_id"], row["ceiling_price"]) for row in taken.rows("lots")]
    assert lots == [("L1", "T1", Decimal(1_250_000)), ("L2", "T1", None)]
    bids = [(row["lot_id"], row["bidder_name"], str(row["price"])) for row in taken.rows()]
    assert bids == [("L1", "甲公司", "1234567.890000"), ("L1", "乙公司", "0.000001")]
    assert [(section.name, section.records) for section in taken.report.sections] == [
        ("lots", 2),
        ("bids", 2),
    ]


# --- encodings of other countries --------------------------------------------------------------

BRAZIL = """
title = "licitações"
country = "BR"
time_zone = "America/Sao_Paulo"
[[file]]
match = ["*.csv"]
format = "delimited"
{encoding}
[[record]]
table = "bids"
[record.columns]
lot_id = {{ from = ["Lote"] }}
bidder_name = {{ from = ["Licitante"] }}
price = {{ from = ["Preço"], unit = 1, decimal = ",", strip = ["R$"] }}
is_winner = {{ from = ["Vencedor"], values = {{ "Sim" = "true", "Não" = "false" }} }}
"""


def test_text_of_another_country_is_read_in_the_encoding_that_is_stated_and_never_in_a_guessed_one(
    tmp_path, make_county
):
    text = "Lote;Licitante;Preço;Vencedor\n1;São José Ltda;R$ 1.234.567,89;Não\n".encode("cp1252")
    stated = make_county(tmp_path, BRAZIL.format(encoding='encoding = "cp1252"')).read(text, "a.csv")
    (bid,) = stated.rows()
    assert (bid["bidder_name"], bid["price"], bid["is_winner"]) == (
        "São José Ltda",
        Decimal("1234567.89"),
        False,
    )
    unstated = make_county(tmp_path, BRAZIL.format(encoding="")).read(text, "a.csv")
    assert unstated.report.code == "ENCODING"
    assert "cp1252" in unstated.report.reason
