"""A lot of which bids are missing, refused or unread is marked, so that what judges whole lots keeps away from it."""

import pytest

OPENED = "lot,kind,opening\nL1,A01,2026-06-01 09:00\n"
HEAD = "标段编号,投标人名称,统一社会信用代码,投标报价（元）,开标时间\n"


@pytest.fixture
def sheets(make_county, tmp_path):
    from pipelines.intake import mapping

    opening_sheets = (mapping.BUILT_IN / "opening_sheets.toml").read_text(encoding="utf-8")
    return make_county(tmp_path, opening_sheets + 'tender_id = { from = ["项目编号"] }\n')


def sheet(*bids):
    return HEAD + "".join(f"L1,{name},{code},{price},2026-06-01 09:00\n" for name, code, price in bids)


LOT = "E4108210000000104001001"


def one_refused():
    """Return a sheet of two bids; the second names a tender that the lot is not of."""
    rows = ((LOT[:20], "甲", 100), (LOT[:19] + "9", "乙", 105))
    return (
        "项目编号,"
        + HEAD
        + "".join(f"{tender},{LOT},{name},,{price},2026-06-01 09:00\n" for tender, name, price in rows)
    )


def missing(night):
    return night.rows("SELECT refused_bids, unread_prices, missing_bids, is_incomplete FROM core.lots")


def test_a_lot_of_which_every_bid_is_read_is_whole(sheets):
    sheets.read(sheet(("甲", "", 100), ("乙", "", 110)))
    assert missing(sheets.night()) == [(0, 0, 0, False)]


def test_an_unread_price_is_counted_and_the_bidder_stays(sheets):
    sheets.read(sheet(("甲", "", 100), ("乙", "", "弃标"), ("丙", "", "0.00")))
    night = sheets.night()
    assert missing(night) == [(0, 2, 0, True)]
    assert night.rows(
        "SELECT price, price_unread, is_valid FROM core.bids WHERE price_unread IS NOT NULL ORDER BY 2"
    ) == [
        (None, "0.00", False),
        (None, "弃标", False),
    ]


def test_a_price_that_comes_otherwise_is_not_unread(sheets):
    sheets.read(sheet(("甲", "", 100), ("乙", "", 0)), "a.csv")
    sheets.read(sheet(("乙", "", 105)), "b.csv")
    assert missing(sheets.night()) == [(0, 0, 0, False)]


def test_a_refused_bid_is_missing_until_the_bidders_bid_comes(sheets):
    assert [code for *_, code in sheets.read(one_refused(), "a.csv").codes] == ["LOT_NOT_IN_TENDER"]
    assert missing(sheets.night()) == [(1, 0, 1, True)]
    sheets.read(HEAD + f"{LOT},乙,,105,2026-06-01 09:00\n", "b.csv")
    assert missing(sheets.night()) == [(0, 0, 0, False)]


def test_refused_bids_of_a_lot_that_is_not_open_are_not_counted(sheets):
    sheets.read(one_refused())
    assert missing(sheets.night("2026-06-01 00:00:00")) == [(0, 0, 0, False)]


def test_bids_are_missing_by_the_number_that_was_delivered(county, unchecked):
    county.read("lot,at,bidders\nL1,2026-05-01 09:00:00,3\n", "public_1.csv")
    found = county.night().rows("SELECT lot_id, bidder_count, missing_bids, is_incomplete FROM core.lots")
    assert found == [("L1", 3, 3, True)]


LOTS = """
    lot  award_method   currency  opened_on   is_incomplete
    L1   lowest_price   CNY       2026-03-02  {mark}
"""
BIDS = """
    lot  bidder  price
    L1   甲      1000000
    L1   乙      1000100
    L1   丙      1000200
    L1   丁      1000300
"""


@pytest.mark.parametrize(("mark", "judged"), [("false", True), ("true", False)])
def test_what_judges_whole_lots_keeps_away_from_an_incomplete_one(market, mark, judged):
    market.honest().lots(LOTS.format(mark=mark)).bids(BIDS)
    assert ("L1" in market.judged("prices.low_dispersion")) is judged
    reasons = market.lacks("prices.low_dispersion")
    assert (
        "incomplete: bids are missing, refused or without a price that could be read" in reasons
    ) is not judged


def test_equal_totals_are_seen_in_an_incomplete_lot_too(market):
    market.honest().lots(LOTS.format(mark="true")).bids(BIDS.replace("1000100", "1000000"))
    assert "L1" in market.judged("prices.identical_prices")


def test_bids_of_a_lot_without_an_opening_time_are_told_apart_from_those_that_wait(sheets):
    one = sheets.read("标段编号,投标人名称,投标报价（元）\nL1,甲,100\nL1,乙,110\nL2,甲,5\n")
    sheets.read(sheet(("丙", "", 100)).replace("L1", "L3"))
    night = sheets.night("2026-06-01 00:00:00")
    assert night.rows("SELECT table_name, raw_sha, lots, records FROM stage.undated") == [
        ("bids", one.raw_sha, 2, 3)
    ]
