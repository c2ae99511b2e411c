import pytest

ID = "contacts.same_email"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PEOPLE = """
    lot  bidder  role         person   email
    L1   A       team_member  h1:name  h1:box-1
    L1   B       team_member  h1:else  h1:box-1
    L1   C       team_member  h1:more  h1:box-3
"""


def test_flags_one_address_under_two_names(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_the_registered_address_of_another_bidder(market):
    market.bids(BIDS).people(PEOPLE.replace("box-1", "box-2", 1)).parties("party email\nC h1:box-2")
    assert market.flagged_together(ID) == [{"A", "C"}]


def test_leaves_different_addresses_alone(market):
    assert market.bids(BIDS).people(PEOPLE.replace("box-1", "box-2", 1)).judged(ID) == {"L1": False}


@pytest.mark.parametrize("office", ["agency", "buyer"])
def test_leaves_the_registered_address_of_agency_and_buyer_alone(market, office):
    market.bids(BIDS).people(PEOPLE).people("lot bidder role email\nL1 B team_member h1:box-2")
    market.lots(f"lot {office}_code\nL1 OFFICE").parties("party email\nOFFICE h1:box-1")
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_service_address_of_many_unrelated_bidders_alone_and_names_it(market):
    service = "lot bidder role email\n" + "\n".join(f"L{n} B{n} team_member h1:box-1" for n in range(2, 9))
    row = market.bids(BIDS).people(PEOPLE).people(service).screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("h1:box-1", 9)


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(PEOPLE)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_where_no_addresses_are_known(market):
    without = PEOPLE.replace("h1:box-1", "-").replace("h1:box-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {"no e-mail addresses (the agency's and the buyer's not counted)": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(PEOPLE)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}
    # Two bidders of one meeting each: they meet exactly as often as chance has it.
    assert market.judged(ID, few_holders=1, min_meeting_odds=1.0) == {"L1": True}
    assert market.judged(ID, few_holders=1, min_meeting_odds=1.01) == {"L1": False}


def test_sentence_says_how_many_gave_it(market):
    english, chinese = market.bids(BIDS).people(PEOPLE).says(ID, "L1")
    assert "2 of 3 bidders gave the same e-mail address" in english
    assert "2 家的电子邮箱相同" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a second mailbox of the same person")
def test_misses_two_mailboxes_of_one_desk(market):
    assert market.bids(BIDS).people(PEOPLE.replace("box-1", "box-2", 1)).judged(ID) == {"L1": True}
