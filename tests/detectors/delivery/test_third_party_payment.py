import pytest

ID = "delivery.third_party_payment"
LOT = "lot\nL1"
BIDS = "lot bidder\nL1 A\nL1 B"
CONTRACT = "lot contract_no supplier_id\nL1 C1 A"
PAYMENTS = """
    lot  payment_no  payee_id  amount
    L1   P1          A         300000
    L1   P2          X         500000
"""


def test_flags_money_that_goes_to_a_third_firm(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A"}]


def test_flags_money_that_goes_to_a_loser(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS.replace("X", "B"))
    assert market.judged(ID) == {"L1": True}


def test_leaves_the_contractor_alone(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS.replace("X", "A"))
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_partner_of_the_joint_venture_alone(market):
    market.lots(LOT).bids(BIDS).bid_members("lot bidder party\nL1 A X").contracts(CONTRACT).payments(PAYMENTS)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_reported_subcontractor_alone(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS)
    market.subcontracts("lot contractor_id subcontractor_id\nL1 A X")
    assert market.judged(ID) == {"L1": False}


def test_limit_is_inclusive(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS)
    assert market.judged(ID, min_payments=1) == {"L1": True}
    assert market.judged(ID, min_payments=2) == {"L1": False}


def test_cannot_judge_without_payments(market):
    assert market.lots(LOT).bids(BIDS).contracts(CONTRACT).judged(ID) == {}
    assert market.lacks(ID) == {"no payments of the lot delivered": 1}


def test_cannot_judge_a_lot_without_a_contract(market):
    assert market.lots(LOT).bids(BIDS).payments(PAYMENTS).judged(ID) == {}
    assert market.lacks(ID) == {"no contract delivered": 1}


def test_sentence_names_the_sum_paid_outside(market):
    english, chinese = market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS).says(ID, "L1")
    assert "1 of 2 payments (limit 1), 500,000.00 CNY" in english
    assert "500,000.00" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: money that the contractor passes on")
def test_misses_money_passed_on(market):
    market.lots(LOT).bids(BIDS).contracts(CONTRACT).payments(PAYMENTS.replace("X", "A"))
    assert market.judged(ID) == {"L1": True}
