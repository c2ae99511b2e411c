import pytest

ID = "contacts.same_head_name"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
HEADS = """
    lot  bidder  role                  person
    L1   A       legal_representative  h1:name
    L1   B       legal_representative  h1:name
    L1   C       legal_representative  h1:else
"""


def test_flags_the_same_name(market):
    market.bids(BIDS).people(HEADS)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_a_name_in_the_bid_and_in_the_register(market):
    market.bids(BIDS).people(HEADS.replace("h1:name", "h1:more", 1))
    market.parties("party legal_representative legal_representative_id\nC h1:name h1:id-1")
    assert market.flagged_together(ID) == [{"B", "C"}]


def test_leaves_different_names_alone(market):
    assert market.bids(BIDS).people(HEADS.replace("h1:name", "h1:more", 1)).judged(ID) == {"L1": False}


@pytest.mark.parametrize("number", ["h1:id-1", "h1:id-2"])
def test_leaves_heads_whose_numbers_are_all_known_to_the_numbers(market, number):
    market.bids(BIDS).parties(
        f"party legal_representative legal_representative_id\nA h1:name h1:id-1\nB h1:name {number}"
    )
    assert market.judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(HEADS)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_common_name_of_bidders_that_hardly_meet_alone_and_names_it(market):
    common = "lot bidder role person\n" + "\n".join(
        f"L{n} B{n} legal_representative h1:name" for n in range(2, 9)
    )
    market.bids(BIDS).people(HEADS).people(common)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("h1:name", 9)


def test_cannot_judge_without_names(market):
    assert market.lots("lot\nL1").bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"no names of legal representatives": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(HEADS)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: a relative or employee as the head of the second firm")
def test_misses_a_relative_as_head(market):
    assert market.bids(BIDS).people(HEADS.replace("h1:name", "h1:more", 1)).judged(ID) == {"L1": True}
