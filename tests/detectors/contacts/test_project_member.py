import pytest

ID = "contacts.project_member"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PEOPLE = """
    lot  bidder  role             person   person_id
    L1   A       project_manager  h1:name  h1:id-1
    L1   B       team_member      h1:name  h1:id-1
    L1   C       project_manager  h1:else  h1:id-3
"""


def test_flags_the_same_document_number_in_two_teams(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_people_of_the_same_name_alone(market):
    assert market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "h1:id-2", 1)).judged(ID) == {"L1": False}


def test_leaves_one_person_in_two_roles_of_one_bidder_alone(market):
    twice = PEOPLE.replace("B       team_member", "A       team_member")
    assert market.bids(BIDS).people(twice).judged(ID) == {"L1": False}


def test_leaves_agents_to_another_detector(market):
    agents = PEOPLE.replace("project_manager", "agent          ").replace("team_member", "operator   ")
    assert market.bids(BIDS).people(agents).judged(ID) == {}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(PEOPLE)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_people_without_a_document_number(market):
    without = PEOPLE.replace("h1:id-1", "-").replace("h1:id-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {"no document numbers of project teams": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


def test_sentence_holds_no_person(market):
    assert not any("h1:" in sentence for sentence in market.bids(BIDS).people(PEOPLE).says(ID, "L1"))


@pytest.mark.xfail(strict=True, reason="blind spot: a member delivered by name only")
def test_misses_a_member_delivered_by_name_only(market):
    assert market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "-", 1)).judged(ID) == {"L1": True}
