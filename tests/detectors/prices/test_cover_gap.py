import math

import pytest

ID = "prices.cover_gap"
LOT = """
    lot  award_method  opened_on
    L1   lowest_price  2026-03-02
"""
COVERED = """
    lot  bidder  price
    L1   A       1000000
    L1   B       1150000
    L1   C       1152300
    L1   D       1153100
    L1   E       1155700
"""


def test_flags_a_low_bid_far_below_close_losers(market):
    assert market.honest(300).lots(LOT).bids(COVERED).judged(ID) == {"L1": True}


def test_leaves_even_gaps_alone(market):
    even = COVERED.replace("1000000", "1147000")
    assert market.honest(300).lots(LOT).bids(even).judged(ID) == {"L1": False}


def test_leaves_a_gap_that_is_large_only_against_one_pair_of_losers(market):
    wide = COVERED.replace("1155700", "1400000")
    assert market.honest(300).lots(LOT).bids(wide).judged(ID) == {"L1": False}


def test_cannot_judge_three_bids(market):
    three = "\n".join(COVERED.splitlines()[:-2])
    assert market.honest(300).lots(LOT).bids(three).judged(ID) == {}
    assert market.lacks(ID) == {"too few valid prices": 1}


def test_cannot_judge_with_too_few_comparable_lots(market):
    assert market.honest(199).lots(LOT).bids(COVERED).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 200}


def test_both_distances_must_be_high(market):
    found = market.honest(300).screen(ID).set_index("unit")
    far = found[["value", "rdnor"]].rank(ascending=False, method="max") / 300
    assert found["p_value"].tolist() == pytest.approx(far.max(axis=1).tolist())


def test_limit_is_inclusive(market):
    market.honest(300).lots(LOT).bids(COVERED)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert market.judged(ID, max_p=row["p_value"], min_distance=row["value"]) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(row["p_value"], 0)) == {"L1": False}
    assert market.judged(ID, min_distance=math.nextafter(row["value"], math.inf)) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: the ratio is undefined where all losing bids are equal")
def test_misses_equal_losing_bids(market):
    equal = "lot bidder price\nL1 A 1000000\n" + "\n".join(f"L1 {bidder} 1150000" for bidder in "BCDE")
    assert market.honest(300).lots(LOT).bids(equal).judged(ID) == {"L1": True}
