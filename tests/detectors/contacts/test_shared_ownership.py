import pytest

ID = "contacts.shared_ownership"
LOT = """
    lot  opened_on
    L1   2026-06-30
"""
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
HOLDS = """
    party  holder_id  kind          holder_share  starts_on   ends_on
    B      X          shareholding  0.60          2020-01-01  -
    C      X          shareholding  0.20          2020-01-01  -
"""
MINORITY = """
    party  holder_id  kind          holder_share  starts_on   ends_on
    B      A          shareholding  0.20          2020-01-01  -
"""


def test_flags_bidders_of_one_owner(market):
    market.lots(LOT).bids(BIDS).relations(HOLDS)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"B", "C"}]
    assert market.screen(ID)["shared_values"].tolist() == ["owned by X"]


def test_flags_a_minority_holding_between_bidders(market):
    market.lots(LOT).bids(BIDS).relations(MINORITY)
    assert market.flagged_together(ID) == [{"A", "B"}]
    assert market.screen(ID)["shared_values"].tolist() == ["A holds a part of B"]


@pytest.mark.parametrize("control", ["shareholding  0.50", "control       0.20"])
def test_leaves_control_to_its_own_detector(market, control):
    market.lots(LOT).bids(BIDS).relations(MINORITY.replace("shareholding  0.20", control))
    assert market.judged(ID) == {"L1": False}
    assert market.judged("contacts.ownership") == {"L1": True}


def test_leaves_different_owners_alone(market):
    assert market.lots(LOT).bids(BIDS).relations(HOLDS.replace("X", "Y", 1)).judged(ID) == {"L1": False}


def test_leaves_a_holding_that_ended_before_the_opening_alone(market):
    ended = HOLDS.replace("01  -", "01 2026-06-29", 1)
    assert market.lots(LOT).bids(BIDS).relations(ended).judged(ID) == {"L1": False}


def test_leaves_partners_of_one_joint_venture_alone(market):
    market.lots(LOT).bids(BIDS).bid_members("lot bidder party\nL1 B C").relations(HOLDS)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_large_investor_alone_and_names_it(market):
    firms = [f"B{n}" for n in range(2, 9)]
    market.lots(LOT).bids(BIDS).relations(HOLDS)
    market.lots("lot opened_on\n" + "\n".join(f"L{firm} 2026-06-30" for firm in firms))
    market.bids("lot bidder\n" + "\n".join(f"L{firm} {firm}" for firm in firms))
    market.relations("party holder_id holder_share\n" + "\n".join(f"{firm} X 0.1" for firm in firms))
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("owned by X", 9)


def test_cannot_judge_before_any_relation_was_delivered(market):
    assert market.lots(LOT).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"no ownership relations delivered": 1}


def test_limits_are_inclusive(market):
    market.lots(LOT).bids(BIDS).relations(HOLDS)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}
    market.con.execute("DELETE FROM core.relations")
    market.relations(MINORITY)
    assert market.judged(ID, control_share=0.2) == {"L1": False}
    assert market.judged(ID, control_share=0.21) == {"L1": True}


@pytest.mark.xfail(strict=True, reason="blind spot: owners behind owners")
def test_misses_a_common_owner_of_the_owners(market):
    grand = (
        HOLDS.replace("X", "Y", 1) + "    Y Z control 0.9 2020-01-01 -\n    X Z control 0.9 2020-01-01 -\n"
    )
    assert market.lots(LOT).bids(BIDS).relations(grand).judged(ID) == {"L1": True}
