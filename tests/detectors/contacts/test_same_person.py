import pytest

ID = "contacts.same_person"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PEOPLE = """
    lot  bidder  role             person_id
    L1   A       project_manager  h1:id-1
    L1   B       agent            h1:id-1
    L1   C       agent            h1:id-3
"""


def test_flags_the_manager_of_one_bidder_who_is_agent_of_another(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_the_registered_head_of_one_who_works_for_another(market):
    market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "h1:id-2", 1))
    market.parties("party legal_representative_id\nC h1:id-2")
    assert market.flagged_together(ID) == [{"A", "C"}]
    assert market.screen(ID)["roles"].tolist() == ["legal_representative, project_manager"]


def test_flags_a_third_bidder_beside_two_with_one_role(market):
    people = PEOPLE + "    L1 D project_manager h1:id-1\n"
    market.bids(BIDS).bids("lot bidder\nL1 D").people(people)
    assert market.flagged_together(ID) == [{"A", "B", "D"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [("project_manager", "team_member"), ("agent", "operator"), ("agent", "agent")],
)
def test_leaves_a_person_in_one_part_on_both_sides_to_its_own_detector(market, one, other):
    people = PEOPLE.replace("project_manager", one).replace("B       agent", f"B {other}")
    assert market.bids(BIDS).people(people).judged(ID) == {"L1": False}


def test_leaves_one_person_with_two_roles_for_one_bidder_alone(market):
    people = PEOPLE.replace("L1   B ", "L1   A ") + "    L1 B agent h1:id-9\n"
    assert market.bids(BIDS).people(people).judged(ID) == {"L1": False}


def test_leaves_people_of_the_same_name_alone(market):
    named = """
        lot  bidder  role             person   person_id
        L1   A       project_manager  h1:name  h1:id-1
        L1   B       agent            h1:name  h1:id-2
    """
    assert market.bids(BIDS).people(named).judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(PEOPLE)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_clerk_of_many_unrelated_bidders_alone_and_names_the_number(market):
    service = "lot bidder role person_id\n" + "\n".join(f"L{n} B{n} agent h1:id-1" for n in range(2, 9))
    market.bids(BIDS).people(PEOPLE).people(service)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"], row["hub_lots"]) == ("h1:id-1", 9, 8)


def test_cannot_judge_people_without_a_document_number(market):
    without = PEOPLE.replace("h1:id-1", "-").replace("h1:id-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {"no document numbers of people": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


def test_sentence_names_the_roles(market):
    english, chinese = market.bids(BIDS).people(PEOPLE).says(ID, "L1")
    assert "acts for 2 of 3 bidders" in english
    assert "agent, project_manager" in english
    assert "agent, project_manager" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: relatives who act for different bidders")
def test_misses_two_people_of_one_family(market):
    assert market.bids(BIDS).people(PEOPLE.replace("h1:id-1", "h1:id-2", 1)).judged(ID) == {"L1": True}
