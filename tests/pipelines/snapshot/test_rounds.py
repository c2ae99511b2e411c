"""A lot that failed and is tendered again under its number (二次招标) is opened twice, and is two lots."""

import datetime as dt

import pytest

SHEETS = """
title = "t"
country = "CN"
time_zone = "Asia/Shanghai"

[[file]]
match = ["open*.csv"]
format = "delimited"
section = "openings"

[[file]]
match = ["*.csv"]
format = "delimited"
section = "stem"

[[record]]
section = "openings"
table = "bids"
[record.columns]
lot_id = { from = ["lot"] }
bidder_name = { from = ["bidder"] }
price = { from = ["price"], unit = 1 }
currency = { constant = "CNY" }

[[record]]
section = "openings"
table = "lots"
[record.columns]
lot_id = { from = ["lot"] }
opening_on = { from = ["day"] }

[[record]]
section = "notices"
table = "lots"
[record.columns]
lot_id = { from = ["lot"] }
opening_on = { from = ["day"] }
lot_name = { from = ["name"] }

[[record]]
section = "awards"
table = "awards"
[record.columns]
lot_id = { from = ["lot"] }
winner_name = { from = ["winner"] }
awarded_on = { from = ["day"] }

[[record]]
section = "people"
table = "people"
[record.columns]
lot_id = { from = ["lot"] }
bidder_name = { from = ["bidder"] }
person = { from = ["person"] }
role = { constant = "team_member" }
"""
FIRST = "lot,bidder,price,day\nL1,甲,100,2026-05-06\nL1,乙,110,2026-05-06\n"
SECOND = "lot,bidder,price,day\nL1,乙,105,2026-05-28\nL1,丙,99,2026-05-28\n"


@pytest.fixture
def sheets(make_county, tmp_path, unchecked):
    return make_county(tmp_path, SHEETS)


def bidders(night):
    return dict(
        night.rows(
            "SELECT lot_id, string_agg(bidder_name, '' ORDER BY bidder_name) FROM core.bids GROUP BY 1 ORDER BY 1"
        )
    )


def opened_on(night):
    return dict(night.rows("SELECT lot_id, opened_on FROM core.lots ORDER BY 1"))


TWO = {"L1": "乙甲", "L1#2": "丙乙"}


def test_whatever_comes_first_the_earlier_opening_is_the_first_round(sheets):
    second, first = sheets.read(SECOND, "open2.csv"), sheets.read(FIRST, "open1.csv")
    for order in ([first, second], [second, first]):
        night = sheets.night(order=order)
        assert bidders(night) == TWO
        assert opened_on(night) == {"L1": dt.date(2026, 5, 6), "L1#2": dt.date(2026, 5, 28)}
        assert [night.account(one)["loaded"] for one in (first, second)] == [2, 2]


def test_both_rounds_may_stand_in_one_file(sheets):
    sheets.read(FIRST + SECOND.split("\n", 1)[1], "open.csv")
    assert bidders(sheets.night()) == TWO


def test_the_same_offers_on_another_day_are_one_round_whose_day_is_in_dispute(sheets):
    sheets.read(FIRST, "open1.csv")
    sheets.read(FIRST.replace("05-06", "05-07"), "open2.csv")
    night = sheets.night()
    assert night.values("SELECT lot_id FROM core.lots") == ["L1"]
    assert night.values("SELECT DISTINCT column_name FROM stage.conflicts") == ["opening_on"]


def test_a_notice_of_another_day_makes_no_round(sheets):
    sheets.read("lot,day,name\nL1,2026-05-01,a\n", "notices.csv")
    sheets.read(FIRST, "open1.csv")
    night = sheets.night()
    assert night.values("SELECT lot_id FROM core.lots") == ["L1"]
    assert night.values("SELECT DISTINCT column_name FROM stage.conflicts") == ["opening_on"]


def test_a_third_round_is_the_third(sheets):
    sheets.read(FIRST, "open1.csv")
    sheets.read(SECOND, "open2.csv")
    sheets.read(SECOND.replace("05-28", "06-15").replace("99", "98").replace("105", "104"), "open3.csv")
    night = sheets.night()
    assert bidders(night) == TWO | {"L1#3": "丙乙"}
    assert night.rows("SELECT lot_id, re_tender_no, first_round_id FROM core.lots ORDER BY 1") == [
        ("L1", 1, "L1"),
        ("L1#2", 2, "L1"),
        ("L1#3", 3, "L1"),
    ]


def test_an_award_belongs_to_the_last_opening_before_it_and_a_notice_to_the_next(sheets):
    sheets.read(FIRST, "open1.csv")
    sheets.read(SECOND, "open2.csv")
    sheets.read("lot,winner,day\nL1,丙,2026-06-01\n", "awards.csv")
    sheets.read("lot,day,name\nL1,2026-05-28,第二次\n", "notices.csv")
    night = sheets.night()
    assert night.rows("SELECT lot_id, winner_name FROM core.awards") == [("L1#2", "丙")]
    assert night.rows("SELECT lot_id, lot_name FROM core.lots ORDER BY 1") == [
        ("L1", None),
        ("L1#2", "第二次"),
    ]


@pytest.mark.parametrize(
    ("of_whom", "placed", "unplaced"),
    [
        # 甲 bid in the first round alone, 丙 in the second alone, 乙 in both.
        ("乙", {"L1#2": "乙"}, 1),
        ("甲乙", {"L1": "乙甲"}, 0),
        ("乙丙", {"L1#2": "丙乙"}, 0),
        ("甲乙丙", {"L1": "甲", "L1#2": "丙乙"}, 1),
        ("丁", {"L1#2": "丁"}, 1),
        ("甲丁", {"L1": "甲", "L1#2": "丁"}, 1),
    ],
)
def test_what_says_nothing_of_a_day_belongs_to_the_round_of_its_bidders(sheets, of_whom, placed, unplaced):
    sheets.read(FIRST, "open1.csv")
    sheets.read(SECOND, "open2.csv")
    rows = "".join(f"L1,{bidder},张三\n" for bidder in of_whom)
    sheets.read(f"lot,bidder,person\n{rows}", "people.csv")
    night = sheets.night()
    found = "SELECT lot_id, string_agg(bidder_name, '' ORDER BY bidder_name) FROM stage.people GROUP BY 1"
    assert dict(night.rows(found)) == placed
    assert sum(night.values("SELECT records FROM stage.unplaced")) == unplaced, "the night's page says so"


def test_a_round_that_is_not_open_yet_stays_secret(sheets):
    sheets.read(FIRST, "open1.csv")
    sheets.read(SECOND, "open2.csv")
    assert bidders(sheets.night("2026-05-20 00:00:00")) == {"L1": "乙甲"}


def test_the_day_of_an_opening_is_that_of_its_sender(make_county, tmp_path, unchecked):
    """An afternoon in Brazil is the next day in China, and a morning in China the day before in UTC."""
    at = SHEETS.replace('opening_on = { from = ["day"] }', 'opening_at = { from = ["day"] }')
    brazil = at.replace("Asia/Shanghai", "America/Sao_Paulo")
    for number, (mapping, time) in enumerate(((brazil, "21:30"), (at, "07:30"))):
        (folder := tmp_path / str(number)).mkdir()
        county = make_county(folder, mapping)
        county.read(FIRST.replace("-06\n", f"-06 {time}\n"), "open1.csv")
        county.read(SECOND.replace("-28\n", f"-28 {time}\n"), "open2.csv")
        night = county.night()
        assert bidders(night) == TWO
        assert opened_on(night) == {"L1": dt.date(2026, 5, 6), "L1#2": dt.date(2026, 5, 28)}


def test_another_lot_is_not_touched(sheets):
    sheets.read(FIRST + "L10,甲,5,2026-05-06\n", "open1.csv")
    sheets.read(SECOND, "open2.csv")
    assert bidders(sheets.night()) == TWO | {"L10": "甲"}


def test_a_newer_version_of_a_record_moves_the_opening_and_makes_no_round(make_county, tmp_path, unchecked):
    """An auction that runs past midnight has its last lance on the next day."""
    versioned = SHEETS.replace(
        'table = "lots"\n[record.columns]',
        'table = "lots"\nversion.updated_at = { from = ["day"] }\n[record.columns]',
        1,
    )
    county = make_county(tmp_path, versioned)
    county.read(FIRST, "open1.csv")
    county.read(SECOND, "open2.csv")
    assert opened_on(county.night()) == {"L1": dt.date(2026, 5, 28)}
