import pandas as pd
import pytest

ID = "prices.estimate_fractions"
ESTIMATE = 1_234_567.89
SHARES = (0.955, 0.962, 0.981)


def lot(market, prices, estimate=ESTIMATE, award_method="lowest_price", name="L1", others=300):
    if others:
        market.honest(others, estimate_price=2_345_678.91)
    market.append(
        "lots",
        pd.DataFrame({"lot_id": [name], "award_method": [award_method], "estimate_price": [estimate]}),
    )
    bidders = [f"B{number}" for number in range(len(prices))]
    return market.append(
        "bids", pd.DataFrame({"lot_id": name, "bidder_id": bidders, "price": [round(p, 2) for p in prices]})
    )


def test_flags_bids_that_are_round_fractions_and_names_them(market):
    lot(market, [share * ESTIMATE for share in SHARES] + [1_200_345.67])
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"B0", "B1", "B2"}]
    english, chinese = market.says(ID, "L1")
    assert "3 of 4 bids (limit 2) are whole multiples of 0.1%" in english
    assert "4 家报价中有 3 家" in chinese


def test_leaves_alone_prices_that_miss_a_fraction_by_a_few_cents(market):
    assert lot(market, [share * ESTIMATE + 0.05 for share in SHARES]).judged(ID) == {"L1": False}


def test_leaves_one_such_bid_alone(market):
    assert lot(market, [0.955 * ESTIMATE, 1_100_000, 1_150_000]).judged(ID) == {"L1": False}


def test_leaves_bids_equal_to_the_estimate_alone(market):
    assert lot(market, [ESTIMATE, ESTIMATE, 1_150_000]).judged(ID) == {"L1": False}


def test_leaves_alone_a_market_in_which_many_lots_show_it(market):
    market.honest(180, estimate_price=2_345_678.91)
    for number in range(30):
        estimate = ESTIMATE + 1111.11 * number
        lot(market, [share * estimate for share in SHARES], estimate, name=f"C{number}", others=0)
    judged = market.judged(ID)
    assert len(judged) == 30
    assert not any(judged.values())


def test_cannot_judge_a_round_estimate(market):
    assert lot(market, [955_000, 962_000, 981_000], estimate=1_000_000.0).judged(ID) == {}
    assert market.lacks(ID) == {"the estimate is a round number": 1}


def test_cannot_judge_an_unknown_award_method_or_too_few_comparable_lots(market):
    prices = [share * ESTIMATE for share in SHARES]
    assert lot(market, prices, award_method=None).judged(ID) == {}
    assert lot(market, prices, name="L2", others=0).judged(ID, min_reference_lots=400) == {}
    assert market.lacks(ID, min_reference_lots=400) == {
        "award method unknown": 1,
        "too few comparable lots": 301,
    }


def test_limit_is_inclusive(market):
    lot(market, [share * ESTIMATE for share in SHARES])
    assert market.judged(ID, min_fractions=3) == {"L1": True}
    assert market.judged(ID, min_fractions=4) == {}


@pytest.mark.xfail(strict=True, reason="blind spot: fractions finer than a tenth of a percent")
def test_misses_finer_fractions(market):
    assert lot(market, [share * ESTIMATE for share in (0.95525, 0.96215, 0.98135)]).judged(ID) == {"L1": True}
