import math

import numpy as np
import pytest

from detectors.prices.support_bids import farthest

ID = "prices.support_bids"
LOT = """
    lot  award_method   opened_on
    L1   average_price  2026-03-02
"""
SUPPORTED = """
    lot  bidder  price
    L1   A       960000
    L1   B       985000
    L1   C       1000000
    L1   D       1010000
    L1   E       1030000
    L1   F       1400000
    L1   G       1402000
"""


def filled(market, bids=SUPPORTED, lots=300, of=7):
    return market.honest(lots, bids=of, award_method="average_price").lots(LOT).bids(bids)


def test_flags_two_bids_far_above_all_others_and_names_them(market):
    filled(market)
    assert market.judged(ID) == {"L1": True}
    assert {"F", "G"} in market.flagged_together(ID)
    english, chinese = market.says(ID, "L1")
    assert "2 of 7 bids stand together" in english
    assert "7 家报价中有 2 家集中在一侧" in chinese


def test_flags_two_bids_far_below_all_others(market):
    below = SUPPORTED.replace("1400000", "600000").replace("1402000", "601000")
    assert filled(market, below).judged(ID) == {"L1": True}


def test_leaves_a_single_far_bid_alone(market):
    assert filled(market, SUPPORTED.replace("1402000", "995000")).judged(ID) == {"L1": False}


def test_leaves_two_far_bids_on_opposite_sides_alone(market):
    assert filled(market, SUPPORTED.replace("1400000", "700000")).judged(ID) == {"L1": False}


def test_leaves_usual_distances_alone(market):
    usual = SUPPORTED.replace("1400000", "1060000").replace("1402000", "1090000")
    assert filled(market, usual).judged(ID) == {"L1": False}


def test_cannot_judge_where_the_lowest_price_wins(market):
    market.honest(300, bids=7).lots(LOT.replace("average", "lowest")).bids(SUPPORTED)
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"not awarded by an average price": 301}


def test_cannot_judge_four_bids(market):
    four = "\n".join(
        line for line in SUPPORTED.splitlines() if line.split()[1:2] not in (["A"], ["B"], ["C"])
    )
    assert filled(market, four).judged(ID) == {}
    assert market.lacks(ID) == {"too few valid prices": 1}


def test_cannot_judge_with_too_few_lots_of_as_many_bids(market):
    assert filled(market, of=6).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots with as many bids": 1}


def test_limit_is_inclusive(market):
    filled(market)
    p_value = market.screen(ID).set_index("unit").loc["L1", "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(p_value, 0)) == {"L1": False}


def test_isolation_is_the_gap_over_the_spread_around_it():
    found = farthest(np.array([[100.0, 102.0, 104.0, 130.0, 131.0]]), 2, 0.0001)
    assert found.isolation[0] == pytest.approx((130 - 104) / (2 + 1))
    assert (found.outlying[0], bool(found.is_high[0]), found.gap[0]) == (2, True, 26)


def test_isolation_does_not_change_with_the_unit_of_the_prices():
    prices = np.sort(np.random.default_rng(1).uniform(1e5, 2e5, (50, 9)), axis=1)
    by_units = farthest(prices / 10_000, 3, 0.0001).isolation
    assert by_units == pytest.approx(farthest(prices, 3, 0.0001).isolation)


@pytest.mark.xfail(strict=True, reason="blind spot: support bids that scatter")
def test_misses_support_bids_that_scatter(market):
    assert filled(market, SUPPORTED.replace("1402000", "1900000")).judged(ID) == {"L1": True}
