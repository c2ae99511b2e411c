import pytest

ID = "contacts.same_phone"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PEOPLE = """
    lot  bidder  role      person   phone
    L1   A       agent     h1:name  h1:tel-1
    L1   B       operator  h1:else  h1:tel-1
    L1   C       agent     h1:more  h1:tel-3
"""


def test_flags_one_phone_under_two_names(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_the_registered_phone_of_another_bidder(market):
    market.bids(BIDS).people(PEOPLE.replace("tel-1", "tel-2", 1)).parties("party phone\nC h1:tel-2")
    assert market.flagged_together(ID) == [{"A", "C"}]


def test_leaves_different_phones_alone(market):
    assert market.bids(BIDS).people(PEOPLE.replace("tel-1", "tel-2", 1)).judged(ID) == {"L1": False}


def test_leaves_the_registered_phone_of_the_agency_alone(market):
    market.bids(BIDS).people(PEOPLE).people("lot bidder role phone\nL1 B agent h1:tel-2")
    market.lots("lot agency_code\nL1 AGENCY").parties("party phone\nAGENCY h1:tel-1")
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_service_number_of_many_unrelated_bidders_alone_and_names_it(market):
    service = "lot bidder role phone\n" + "\n".join(f"L{n} B{n} agent h1:tel-1" for n in range(2, 9))
    market.bids(BIDS).people(PEOPLE).people(service)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("h1:tel-1", 9)


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(PEOPLE)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_where_no_phones_are_known(market):
    without = PEOPLE.replace("h1:tel-1", "-").replace("h1:tel-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {"no phones (the agency's and the buyer's not counted)": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}
    # Two bidders of one meeting each: they meet exactly as often as chance has it.
    assert market.judged(ID, few_holders=1, min_meeting_odds=1.0) == {"L1": True}
    assert market.judged(ID, few_holders=1, min_meeting_odds=1.01) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: a second phone of the same desk")
def test_misses_two_phones_of_one_desk(market):
    assert market.bids(BIDS).people(PEOPLE.replace("tel-1", "tel-2", 1)).judged(ID) == {"L1": True}
