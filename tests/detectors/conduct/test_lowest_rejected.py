import itertools
import math

import numpy as np
import pytest

from detectors.conduct.lowest_rejected import run_chance

ID = "conduct.lowest_rejected"
LOT = "lot award_method\nL1 lowest_price"


def lot_of(bids, rejected):
    """Return bids that cost 1, 2, 3, ...; ``rejected`` are places from the lowest."""
    rows = [f"L1 B{n:02} {n} {'false' if n in rejected else 'true'}" for n in range(1, bids + 1)]
    return "lot bidder price is_valid\n" + "\n".join(rows)


def test_flags_the_three_lowest_of_ten_bids(market):
    market.lots(LOT).bids(lot_of(10, {1, 2, 3}))
    assert market.judged(ID) == {"L1": True}
    assert market.screen(ID).loc[0, "p_value"] == pytest.approx(1 / 120)


def test_flags_rejections_that_stand_in_the_evaluation(market):
    vetoed = "lot bidder is_vetoed\n" + "\n".join(f"L1 B0{n} true" for n in (1, 2, 3))
    assert market.lots(LOT).bids(lot_of(10, set())).scores(vetoed).judged(ID) == {"L1": True}


def test_leaves_rejections_elsewhere_alone(market):
    assert market.lots(LOT).bids(lot_of(10, {4, 7, 9})).judged(ID) == {"L1": False}


def test_leaves_one_rejected_bid_alone(market):
    assert market.lots(LOT).bids(lot_of(10, {1})).judged(ID) == {"L1": False}


def test_leaves_an_evaluation_without_rejections_alone(market):
    nobody = "lot bidder is_vetoed\nL1 B01 false"
    assert market.lots(LOT).bids(lot_of(10, set())).scores(nobody).judged(ID) == {"L1": False}


def test_leaves_a_kept_bid_of_the_same_price_in_front(market):
    same = lot_of(10, {1, 2, 3}).replace("B04 4 true", "B04 1 true")
    assert market.lots(LOT).bids(same).judged(ID) == {"L1": False}


def test_leaves_alone_a_market_that_rejects_every_bid_below_a_floor(market):
    for number in range(201):
        market.lots(LOT.replace("L1", f"L{number}")).bids(lot_of(10, {1, 2, 3}).replace("L1", f"L{number}"))
    judged = market.judged(ID)
    assert len(judged) == 201
    assert not any(judged.values())


def test_cannot_judge_an_unknown_award_method(market):
    assert market.lots(LOT.replace("lowest_price", "-")).bids(lot_of(10, {1, 2, 3})).judged(ID) == {}
    assert market.lacks(ID) == {"award method unknown": 1}


def test_cannot_judge_when_the_evaluation_is_unknown(market):
    assert market.lots(LOT).bids(lot_of(10, set())).judged(ID) == {}
    assert market.lacks(ID) == {"no evaluation result delivered": 1}


def test_cannot_judge_when_every_bid_was_rejected(market):
    assert market.lots(LOT).bids(lot_of(3, {1, 2, 3})).judged(ID) == {}
    assert market.lacks(ID) == {"every bid was rejected": 1}


def test_cannot_judge_a_bid_without_a_price(market):
    unpriced = "lot bidder price is_valid\nL1 A - false\nL1 B 2 true\nL1 C 3 true"
    assert market.lots(LOT).bids(unpriced).judged(ID) == {}
    assert market.lacks(ID) == {"too few bids with a price in the lot's currency": 1}


def test_limit_is_inclusive(market):
    market.lots(LOT).bids(lot_of(10, {1, 2, 3}))
    p_value = market.screen(ID).loc[0, "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(p_value, 0)) == {"L1": False}


@pytest.mark.parametrize(("bids", "rejected", "run"), [(5, 2, 1), (6, 3, 2), (6, 3, 3), (7, 0, 0)])
def test_chance_is_the_share_of_all_draws(bids, rejected, run):
    draws = list(itertools.combinations(range(bids), rejected))
    share = sum(set(range(run)) <= set(draw) for draw in draws) / len(draws)
    found = run_chance(np.array([run]), np.array([bids]), np.array([rejected]))
    assert found[0] == pytest.approx(share)


@pytest.mark.xfail(strict=True, reason="blind spot: a buyer that rejects just the lowest bid, lot after lot")
def test_misses_one_lowest_bid_rejected_in_every_lot(market):
    for number in range(20):
        market.lots(LOT.replace("L1", f"L{number}"))
        market.bids(lot_of(6, {1}).replace("L1", f"L{number}"))
    assert any(market.judged(ID).values())
