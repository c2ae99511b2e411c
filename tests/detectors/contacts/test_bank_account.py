import pytest

ID = "contacts.bank_account"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PURCHASES = """
    lot  bidder  account
    L1   A       h1:one
    L1   B       h1:one
    L1   C       h1:three
"""


def test_flags_one_account_that_bought_for_two(market):
    market.bids(BIDS).document_purchases(PURCHASES)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_the_deposit_of_one_and_the_documents_of_another(market):
    market.bids(BIDS).document_purchases("lot bidder account\nL1 A h1:one\nL1 B h1:two")
    market.deposits("lot bidder account\nL1 C h1:one")
    assert market.flagged_together(ID) == [{"A", "C"}]


def test_leaves_different_accounts_alone(market):
    market.bids(BIDS).document_purchases(PURCHASES.replace("h1:one", "h1:two", 1))
    assert market.judged(ID) == {"L1": False}


def test_leaves_two_deposits_to_their_own_detector(market):
    assert market.bids(BIDS).deposits(PURCHASES).judged(ID) == {"L1": False}
    assert market.judged("contacts.deposit_account") == {"L1": True}


def test_leaves_the_account_of_a_guarantor_alone(market):
    guarantee = "lot bidder account is_guarantee\nL9 Z h1:one true"
    market.bids(BIDS).document_purchases(PURCHASES).deposits(guarantee)
    market.document_purchases("lot bidder account\nL1 A h1:a\nL1 B h1:b")
    assert market.judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").document_purchases(PURCHASES)
    assert market.judged(ID) == {"L1": False}


def test_leaves_an_account_of_many_unrelated_bidders_alone_and_names_it(market):
    service = "lot bidder account\n" + "\n".join(f"L{n} B{n} h1:one" for n in range(2, 9))
    market.bids(BIDS).document_purchases(PURCHASES).document_purchases(service)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("h1:one", 9)


def test_cannot_judge_without_accounts(market):
    without = PURCHASES.replace("h1:one", "-").replace("h1:three", "-")
    assert market.lots("lot\nL1").bids(BIDS).document_purchases(without).judged(ID) == {}
    assert market.lacks(ID) == {"no accounts that paid tender documents or deposits": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).document_purchases(PURCHASES)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: accounts of one person at two banks")
def test_misses_two_accounts_of_one_person(market):
    market.bids(BIDS).document_purchases(PURCHASES.replace("h1:one", "h1:two", 1))
    assert market.judged(ID) == {"L1": True}
