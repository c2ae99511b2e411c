import math

import pandas as pd
import pytest

ID = "conduct.tailored"


def market_with(market, rejecting, evaluated=True, of_buyer=0):
    """Firm A wins 5 lots of buyer P1, in ``rejecting`` of which both rivals are rejected.

    250 lots of other buyers have one such lot; buyer P1 has ``of_buyer`` more with another winner.
    """
    lots, bids = [], []

    def add(lot, buyer, winner, is_rejecting):
        lots.append((lot, buyer))
        bids.extend(
            [
                (lot, winner, True, False),
                (lot, f"{lot}B", False, is_rejecting),
                (lot, f"{lot}C", False, is_rejecting),
            ]
        )

    for number in range(250):
        add(f"H{number:03}", f"O{number % 9}", f"W{number % 40}", number == 0)
    for number in range(5):
        add(f"L{number}", "P1", "A", number < rejecting)
    for number in range(of_buyer):
        add(f"M{number}", "P1", "Z", True)
    market.append("lots", pd.DataFrame(lots, columns=["lot_id", "buyer_code"]))
    frame = pd.DataFrame(bids, columns=["lot_id", "bidder_id", "is_winner", "is_vetoed"])
    market.append("bids", frame.drop(columns=["is_vetoed"]))
    if not evaluated:
        return market
    return market.append("scores", frame.drop(columns=["is_winner"]))


def test_flags_a_firm_whose_rivals_keep_being_rejected_by_one_buyer(market):
    judged = market_with(market, rejecting=3).judged(ID)
    assert [unit for unit, flag in judged.items() if flag] == ["P1/A"]
    assert market.flagged_together(ID) == [{"A"}]


def test_leaves_one_such_lot_alone(market):
    assert not market_with(market, rejecting=1).judged(ID)["P1/A"]


def test_leaves_alone_a_buyer_that_is_strict_with_everybody(market):
    assert not market_with(market, rejecting=3, of_buyer=8).judged(ID)["P1/A"]


def test_cannot_judge_lots_whose_evaluation_was_not_delivered(market):
    assert market_with(market, rejecting=3, evaluated=False).judged(ID) == {}
    assert market.lacks(ID) == {
        "won no lot": 510,
        "no evaluation result delivered of a lot that it won alone": 41,
    }


def test_cannot_judge_a_small_market(market):
    assert market_with(market, rejecting=3).judged(ID, min_reference_lots=251) == {}
    assert market.lacks(ID, min_reference_lots=251) == {
        "won no lot": 510,
        "too few such lots of one buyer with enough losing bids": 40,
        "too few evaluated lots of other buyers and firms": 1,
    }


def test_limit_is_inclusive(market):
    p_value = market_with(market, rejecting=3).screen(ID).set_index("unit").loc["P1/A", "p_value"]
    assert market.judged(ID, max_p=p_value)["P1/A"]
    assert not market.judged(ID, max_p=math.nextafter(p_value, 0))["P1/A"]


@pytest.mark.xfail(strict=True, reason="blind spot: conditions that keep rivals from bidding at all")
def test_misses_conditions_that_nobody_else_tries_to_meet(market):
    assert market_with(market, rejecting=0).judged(ID)["P1/A"]
