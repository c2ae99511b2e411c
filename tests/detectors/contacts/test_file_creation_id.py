import pytest

ID = "contacts.file_creation_id"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
FILES = """
    lot  bidder  created_id
    L1   A       F-1
    L1   B       F-1
    L1   C       F-3
"""


def test_flags_the_same_creation_code(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_different_codes_alone(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("F-1", "F-2", 1)).judged(ID) == {"L1": False}


def test_leaves_the_code_of_the_buyers_own_file_alone(market):
    market.bids(BIDS).fingerprints(FILES).fingerprints("lot bidder owner created_id\nL1 - buyer F-1")
    own = "lot bidder created_id\nL1 A F-8\nL1 B F-9"
    assert market.fingerprints(own).judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").fingerprints(FILES)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_template_of_many_unrelated_bidders_alone_and_names_it(market):
    template = "lot bidder created_id\n" + "\n".join(f"L{n} B{n} F-1" for n in range(2, 9))
    market.bids(BIDS).fingerprints(FILES).fingerprints(template)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("F-1", 9)


def test_cannot_judge_files_without_a_code(market):
    without = FILES.replace("F-1", "-").replace("F-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).fingerprints(without).judged(ID) == {}
    assert market.lacks(ID) == {"no creation codes of bid files (the buyer's not counted)": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: software that writes a new code into every copy")
def test_misses_a_copy_with_a_new_code(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("F-1", "F-2", 1)).judged(ID) == {"L1": True}
