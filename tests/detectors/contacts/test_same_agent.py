import pytest

ID = "contacts.same_agent"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PEOPLE = """
    lot  bidder  role      person   person_id
    L1   A       agent     h1:name  h1:id-1
    L1   B       operator  h1:name  h1:id-1
    L1   C       agent     h1:else  h1:id-3
"""


def test_flags_the_agent_of_one_who_operates_for_another(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_people_of_the_same_name_alone(market):
    assert market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "h1:id-2", 1)).judged(ID) == {"L1": False}


def test_leaves_the_same_agent_in_different_lots_alone(market):
    elsewhere = PEOPLE.replace("L1   B", "L2   B")
    assert market.bids(BIDS).bids("lot bidder\nL2 B").people(elsewhere).judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(PEOPLE)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_agents_without_a_document_number(market):
    without = PEOPLE.replace("h1:id-1", "-").replace("h1:id-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {"no document numbers of agents or operators": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: different staff of one service company")
def test_misses_two_people_of_one_service_company(market):
    assert market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "h1:id-2", 1)).judged(ID) == {"L1": True}
