import math

import numpy as np
import pandas as pd
import pytest

ID = "delivery.contract_changes"
LOT = "lot award_method opened_on\nL1 lowest_price 2026-03-02"
BIDS = "lot bidder\nL1 A\nL1 B\nL1 C\nL1 D\nL1 E"
CONTRACT = "lot contract_no supplier_id price signed_on\nL1 C1 A 1000000 2026-03-20"


def change(after, number="B-1", before=200_000, on="2026-06-01"):
    return f"lot contract_no change_no amount_before amount_after approved_on\nL1 C1 {number} {before} {after} {on}"


def with_usual_lots(market, grown=0):
    """300 changed lots that grew by 0 to 3 percent, but the first ``grown`` of them by half."""
    market.honest()
    names = [f"H{number:04}" for number in range(300)]
    terms = {"contract_no": "C", "supplier_id": "W", "price": 1_000_000}
    market.append("contracts", pd.DataFrame({"lot_id": names} | terms))
    after = 100_000 + np.where(np.arange(300) < grown, 500_000, np.arange(300) * 100)
    terms = {"contract_no": "C", "change_no": "B", "amount_before": 100_000, "amount_after": after}
    market.append("changes", pd.DataFrame({"lot_id": names} | terms))
    return market.lots(LOT).bids(BIDS).contracts(CONTRACT)


def test_flags_a_contract_that_grew_by_changes(market):
    with_usual_lots(market).changes(change(400_000)).changes(change(350_000, "B-2"))
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A"}]
    assert market.screen(ID).set_index("unit").loc["L1", "value"] == pytest.approx(0.35)


def test_flags_a_settlement_far_above_the_contract(market):
    assert with_usual_lots(market).acceptances("lot accepted_on settled_price\nL1 2027-01-05 1300000").judged(
        ID
    ) == {"L1": True}


def test_leaves_alone_changes_that_the_settlement_did_not_pay(market):
    with_usual_lots(market).changes(change(600_000)).acceptances(
        "lot accepted_on settled_price\nL1 2027-01-05 1010000"
    )
    assert market.judged(ID) == {"L1": False}


def test_leaves_small_growth_alone(market):
    assert with_usual_lots(market).changes(change(250_000)).judged(ID) == {"L1": False}


def test_leaves_alone_a_market_in_which_growth_is_usual(market):
    assert with_usual_lots(market, grown=30).changes(change(600_000)).judged(ID) == {"L1": False}


def test_growth_is_inclusive(market):
    with_usual_lots(market).changes(change(450_000))
    assert market.judged(ID, min_growth=0.25) == {"L1": True}
    assert market.judged(ID, min_growth=math.nextafter(0.25, 1)) == {"L1": False}
    p_value = market.screen(ID).set_index("unit").loc["L1", "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=math.nextafter(p_value, 0)) == {"L1": False}


def test_cannot_judge_a_contract_without_any_change(market):
    assert with_usual_lots(market).judged(ID) == {}
    assert market.lacks(ID) == {"no change after the signing and no settlement in the contract's currency": 1}


def test_cannot_judge_what_was_approved_before_the_signing(market):
    assert with_usual_lots(market).changes(change(600_000, on="2026-03-19")).judged(ID) == {}


def test_cannot_judge_a_small_market(market):
    assert market.lots(LOT).bids(BIDS).contracts(CONTRACT).changes(change(600_000)).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 1}


def test_sentence_names_both_sums(market):
    english, chinese = with_usual_lots(market).changes(change(600_000)).says(ID, "L1")
    assert "Signed at 1,000,000.00 CNY, grown to 1,400,000.00 by 1 change(s)" in english
    assert "增幅 +40.0%" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a trade in which growth is usual")
def test_misses_growth_where_everybody_does_it(market):
    assert with_usual_lots(market, grown=60).changes(change(600_000)).judged(ID) == {"L1": True}
