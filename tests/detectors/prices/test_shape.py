import math

import pytest

ID = "prices.shape"
LOT = """
    lot  award_method  opened_on
    L1   lowest_price  2026-03-02
"""
LEANING = """
    lot  bidder  price
    L1   A       880000
    L1   B       1000000
    L1   C       1001000
    L1   D       1002000
    L1   E       1003000
    L1   F       1001500
"""


def test_flags_one_low_bid_under_a_dense_group(market):
    market.honest(300, bids=6).lots(LOT).bids(LEANING)
    assert market.judged(ID) == {"L1": True}
    english, chinese = market.says(ID, "L1")
    assert "6 bids have skewness -2.4" in english
    assert "6 家报价的偏度为 -2.4" in chinese


def test_leaves_a_usual_shape_alone(market):
    usual = LEANING.replace("1001000", "1090000").replace("1003000", "930000")
    assert market.honest(300, bids=6).lots(LOT).bids(usual).judged(ID) == {"L1": False}


def test_leaves_one_high_bid_over_a_dense_group_alone(market):
    high = LEANING.replace("880000", "1180000")
    assert market.honest(300, bids=6).lots(LOT).bids(high).judged(ID) == {"L1": False}


def test_both_measures_must_be_far_out(market):
    found = market.honest(300, bids=6).screen(ID)
    ranks = found[["value", "kurt"]].rank(method="max")
    high = found["kurt"].rank(method="max", ascending=False)
    assert found["p_value"].tolist() == pytest.approx((ranks["value"].combine(high, max) / 300).tolist())


def test_cannot_judge_three_bids(market):
    three = "\n".join(LEANING.strip().splitlines()[:4])
    assert market.honest(300).lots(LOT).bids(three).judged(ID) == {}
    assert market.lacks(ID) == {"too few valid prices": 1}


def test_cannot_judge_another_award_method(market):
    market.honest(300, bids=6, award_method="average_price")
    assert market.lots(LOT.replace("lowest", "average")).bids(LEANING).judged(ID) == {}
    assert market.lacks(ID) == {"not awarded by the lowest price": 301}


def test_cannot_judge_with_too_few_comparable_lots(market):
    assert market.honest(199, bids=6).lots(LOT).bids(LEANING).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 200}


def test_cannot_judge_equal_bids(market):
    equal = "lot bidder price\n" + "\n".join(f"L1 B{number} 1000000" for number in range(6))
    assert market.honest(300, bids=6).lots(LOT).bids(equal).judged(ID) == {}
    assert market.lacks(ID) == {"the valid prices do not differ": 1}


def test_limit_is_inclusive(market):
    market.honest(300, bids=6).lots(LOT).bids(LEANING)
    p_value = market.screen(ID).set_index("unit").loc["L1", "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(p_value, 0)) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: cover bids that spread")
def test_misses_cover_bids_that_spread(market):
    spread = LEANING.replace("1001000", "1060000").replace("1002000", "1110000").replace("1003000", "1180000")
    assert market.honest(300, bids=6).lots(LOT).bids(spread).judged(ID) == {"L1": True}
