import math

import numpy as np
import pandas as pd
import pytest

ID = "conduct.late_contract"
LOT = "lot award_method opened_on\nL1 lowest_price 2026-03-02"
BIDS = "lot bidder\nL1 A\nL1 B\nL1 C\nL1 D\nL1 E"
AWARD = "lot winner_id awarded_on\nL1 A 2026-03-10"


def contract(signed_on):
    return f"lot contract_no supplier_id signed_on\nL1 C1 A {signed_on}"


def with_usual_lots(market, late=0):
    """300 lots signed within 10 to 29 days, but the first ``late`` of them after 70."""
    market.honest()
    names = [f"H{number:04}" for number in range(300)]
    days = np.where(np.arange(300) < late, 70, 10 + np.arange(300) % 20)
    market.append("awards", pd.DataFrame({"lot_id": names, "winner_id": "W", "awarded_on": "2026-03-10"}))
    signed = pd.Timestamp("2026-03-10") + pd.to_timedelta(days, unit="D")
    return market.append(
        "contracts",
        pd.DataFrame({"lot_id": names, "contract_no": "C", "supplier_id": "W", "signed_on": signed.date}),
    )


def test_flags_a_contract_signed_far_later_than_usual(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract("2026-05-12"))
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A"}]


@pytest.mark.parametrize(("signed_on", "expected"), [("2026-04-09", False), ("2026-04-10", True)])
def test_thirty_days_are_allowed_and_the_limit_is_inclusive(market, signed_on, expected):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract(signed_on))
    assert market.judged(ID) == {"L1": expected}


def test_leaves_alone_a_market_in_which_everybody_is_late(market):
    with_usual_lots(market, late=40).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract("2026-05-12"))
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_later_supplement_alone(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract("2026-03-25"))
    market.contracts("lot contract_no supplier_id signed_on\nL1 C2 A 2026-09-01")
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_without_a_day_of_award(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD.replace("2026-03-10", "-"))
    assert market.contracts(contract("2026-05-12")).judged(ID) == {}
    assert market.lacks(ID) == {"day of the award unknown": 1}


def test_cannot_judge_a_contract_with_another_firm(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD.replace("A", "B"))
    assert market.contracts(contract("2026-05-12")).judged(ID) == {}
    assert market.lacks(ID) == {"no contract with the winner, or it was signed before the award": 1}


def test_share_is_inclusive(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract("2026-05-12"))
    p_value = market.screen(ID).set_index("unit").loc["L1", "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(p_value, 0)) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: a contract dated back")
def test_misses_a_contract_dated_back(market):
    with_usual_lots(market).lots(LOT).bids(BIDS).awards(AWARD).contracts(contract("2026-04-01"))
    assert market.judged(ID) == {"L1": True}
