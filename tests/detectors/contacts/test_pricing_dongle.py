import pytest

ID = "contacts.pricing_dongle"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
FILES = """
    lot  bidder  purpose  dongle
    L1   A       pricing  G-100
    L1   B       pricing  G-100
    L1   C       pricing  G-300
"""


def test_flags_the_same_number(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_different_numbers_alone(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("G-100", "G-200", 1)).judged(ID) == {"L1": False}


def test_leaves_the_buyers_own_number_alone(market):
    more = FILES + "    L1 A pricing G-101\n    L1 B pricing G-102\n"
    own = "lot bidder owner purpose dongle\nL1 - buyer pricing G-100"
    assert market.bids(BIDS).fingerprints(more).fingerprints(own).judged(ID) == {"L1": False}


def test_leaves_a_number_of_the_buyer_of_another_lot_to_be_judged(market):
    own = "lot bidder owner purpose dongle\nL2 - buyer pricing G-100"
    assert market.bids(BIDS).fingerprints(FILES).fingerprints(own).judged(ID) == {"L1": True}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").fingerprints(FILES)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_files_without_a_number(market):
    assert market.lots("lot\nL1").bids(BIDS).fingerprints(FILES.replace("G-100", "-")).judged(ID) == {}
    assert market.lacks(ID) == {"only one bidder of the lot has them delivered": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: one dongle per firm of the ring")
def test_misses_a_ring_with_one_dongle_each(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("G-100", "G-200", 1)).judged(ID) == {"L1": True}
