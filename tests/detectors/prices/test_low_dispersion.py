import math

import pytest

ID = "prices.low_dispersion"
LOT = """
    lot  award_method  opened_on
    L1   lowest_price  2026-03-02
"""
CLOSE = """
    lot  bidder  price
    L1   A       1000000
    L1   B       1000900
    L1   C       1001700
    L1   D       1002100
    L1   E       1002300
"""


def test_flags_bids_closer_together_than_in_comparable_lots(market):
    assert market.honest(300).lots(LOT).bids(CLOSE).judged(ID) == {"L1": True}


def test_leaves_a_usual_spread_alone(market):
    usual = CLOSE.replace("1002300", "1190000").replace("1000000", "930000")
    assert market.honest(300).lots(LOT).bids(usual).judged(ID) == {"L1": False}


def test_leaves_a_lot_with_one_cheap_bid_and_close_losers_alone(market):
    assert market.honest(300).lots(LOT).bids(CLOSE.replace("1000000", "850000")).judged(ID) == {"L1": False}


def test_cannot_judge_with_too_few_comparable_lots(market):
    assert market.honest(199).lots(LOT).bids(CLOSE).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 200}


def test_cannot_judge_a_lot_with_an_unknown_award_method(market):
    assert market.honest(300).lots(LOT.replace("lowest_price", "-")).bids(CLOSE).judged(ID) == {}
    assert market.lacks(ID) == {"not awarded by the lowest price": 1}


def test_cannot_judge_bids_in_two_currencies(market):
    mixed = """
        lot  bidder  price    currency
        L1   A       1000000  CNY
        L1   B       1000900  USD
        L1   C       1001700  CNY
    """
    assert market.honest(300).lots(LOT).bids(mixed).judged(ID) == {}
    assert market.lacks(ID) == {"no valid prices in one currency": 1}


def test_cannot_judge_against_lots_in_another_currency(market):
    in_dollars = CLOSE.replace("price", "price currency").replace("00\n", "00 USD\n")
    assert market.honest(300).lots(LOT).bids(in_dollars).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 1}


def test_rejected_bids_do_not_count(market):
    rejected = """
        lot  bidder  price  is_valid
        L1   F       10     false
    """
    assert market.honest(300).lots(LOT).bids(CLOSE).bids(rejected).judged(ID) == {"L1": True}


def test_all_three_measures_of_dispersion_must_be_low(market):
    found = market.honest(300).screen(ID).set_index("unit")
    measures = found[["value", "cvl", "spd"]]
    assert found["p_value"].tolist() == pytest.approx(
        (measures.rank(method="max") / 300).max(axis=1).tolist()
    )


def test_limit_is_inclusive(market):
    market.honest(300).lots(LOT).bids(CLOSE)
    closest_of_301 = 1 / 301
    assert market.judged(ID, max_p=closest_of_301) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(closest_of_301, 0)) == {"L1": False}


def test_sentence_gives_the_measured_numbers(market):
    english, chinese = market.honest(300).lots(LOT).bids(CLOSE).says(ID, "L1")
    assert "5 bids differ by 0.2%" in english
    assert "5 家报价最高与最低相差 0.2%" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: the sign is not known in average-price lots")
def test_misses_close_bids_in_an_average_price_lot(market):
    market.honest(300, award_method="average_price").lots(LOT.replace("lowest", "average")).bids(CLOSE)
    assert market.judged(ID) == {"L1": True}
