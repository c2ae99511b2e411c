import pytest

ID = "contacts.deposit_account"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
DEPOSITS = """
    lot  bidder  account
    L1   A       h1:one
    L1   B       h1:one
    L1   C       h1:three
"""


def test_flags_the_same_paying_account(market):
    market.bids(BIDS).deposits(DEPOSITS)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_different_accounts_alone(market):
    assert market.bids(BIDS).deposits(DEPOSITS.replace("h1:one", "h1:two", 1)).judged(ID) == {"L1": False}


def test_leaves_the_account_of_a_common_guarantor_alone(market):
    guarantees = """
        lot  bidder  account  form       is_guarantee
        L1   A       h1:bank  guarantee  true
        L1   B       h1:bank  guarantee  true
    """
    own = DEPOSITS.replace("h1:one", "h1:two", 1)
    assert market.bids(BIDS).deposits(guarantees).deposits(own).judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").deposits(DEPOSITS)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_pool_account_of_very_many_bidders_alone_and_counts_it(market):
    pool = "lot bidder account\n" + "\n".join(f"L{number} B{number} h1:one" for number in range(2, 60))
    market.bids(BIDS).deposits(DEPOSITS).deposits(pool)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert (row["flagged"], row["left_out"]) == (False, 1)


def test_cannot_judge_guarantees_only(market):
    guarantees = """
        lot  bidder  account  is_guarantee
        L1   A       h1:bank  true
        L1   B       h1:bank  true
    """
    assert market.lots("lot\nL1").bids(BIDS).deposits(guarantees).judged(ID) == {}
    assert market.lacks(ID) == {"no accounts that paid deposits (guarantees not counted)": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).deposits(DEPOSITS)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


def test_sentence_holds_no_account(market):
    assert not any("h1:" in sentence for sentence in market.bids(BIDS).deposits(DEPOSITS).says(ID, "L1"))


@pytest.mark.xfail(strict=True, reason="blind spot: money sent to the bidders first and paid on by them")
def test_misses_money_paid_on_through_own_accounts(market):
    assert market.bids(BIDS).deposits(DEPOSITS.replace("h1:one", "h1:two", 1)).judged(ID) == {"L1": True}
