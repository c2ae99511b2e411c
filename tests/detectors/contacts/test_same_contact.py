import pytest

ID = "contacts.same_contact"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
CONTACTS = """
    lot  bidder  role      person   phone
    L1   A       agent     h1:name  h1:tel-1
    L1   B       operator  h1:name  h1:tel-1
    L1   C       agent     h1:else  h1:tel-3
"""


def test_flags_the_same_name_with_the_same_phone(market):
    market.bids(BIDS).people(CONTACTS)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_the_same_name_with_another_phone_alone(market):
    assert market.bids(BIDS).people(CONTACTS.replace("tel-1", "tel-2", 1)).judged(ID) == {"L1": False}


def test_leaves_the_registered_phone_of_the_agency_alone(market):
    market.bids(BIDS).people(CONTACTS).people("lot bidder role person phone\nL1 B agent h1:b h1:tel-2")
    market.lots("lot agency_code\nL1 AGENCY").parties("party phone\nAGENCY h1:tel-1")
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_contact_of_very_many_bidders_alone_and_counts_it(market):
    service = "lot bidder role person phone\n" + "\n".join(
        f"L{n} B{n} agent h1:name h1:tel-1" for n in range(2, 60)
    )
    market.bids(BIDS).people(CONTACTS).people(service)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert (row["flagged"], row["left_out"]) == (False, 1)


@pytest.mark.parametrize(
    ("regime", "expected"), [("government_procurement", True), ("construction", False), ("-", False)]
)
def test_a_contact_of_many_unrelated_bidders_counts_only_where_the_law_names_the_contact(
    market, regime, expected
):
    service = "lot bidder role person phone\n" + "\n".join(
        f"L{n} B{n} agent h1:name h1:tel-1" for n in range(2, 9)
    )
    market.bids(BIDS).people(CONTACTS).people(service).lots(f"lot procurement_regime\nL1 {regime}")
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert row["flagged"] == expected
    assert max(row["most_holders"], row["hub_bidders"]) == 9


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").people(CONTACTS)
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_contacts_without_a_phone(market):
    without = CONTACTS.replace("h1:tel-1", "-").replace("h1:tel-3", "-")
    assert market.lots("lot\nL1").bids(BIDS).people(without).judged(ID) == {}
    assert market.lacks(ID) == {
        "no contact with name and phone (the agency's and the buyer's not counted)": 1
    }


def test_evidence_tells_the_regime_on_which_the_law_depends(market):
    market.bids(BIDS).people(CONTACTS).lots("lot procurement_regime\nL1 government_procurement")
    assert market.screen(ID)["regime"].tolist() == ["government_procurement"]


def test_limits_are_inclusive(market):
    market.bids(BIDS).people(CONTACTS)
    assert market.judged(ID, min_bidders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: the same phone under different names")
def test_misses_one_phone_under_two_names(market):
    assert market.bids(BIDS).people(CONTACTS.replace("h1:name", "h1:alias", 1)).judged(ID) == {"L1": True}
